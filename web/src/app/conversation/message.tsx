// One record of a conversation: what was said, with what was thought and done folded away.
import { memo, useState } from "react";

import { Button } from "../ui/kit";
import { Highlighted } from "./highlight";
import type { Message } from "./records";
import { ToolCall } from "./tool-input";

const LONG = 4000;
const written = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });

interface MessageProps {
  message: Message;
  words: RegExp | null;
  chosen: boolean;
  address: string;
  raw: (line: number) => Promise<string>;
}

export const MessageRow = memo(function MessageRow({ message, words, chosen, address, raw }: MessageProps) {
  const { line, role, kind, subtype, timestamp, model, text, thinking, toolCalls, toolResults, isSidechain, agentId } = message;
  const [record, setRecord] = useState<string | null>(null);
  const showRaw = () => {
    if (record !== null) return setRecord(null);
    raw(line).then(setRecord, (error: Error) => setRecord(error.message));
  };
  return (
    <div className="message" data-role={role ?? "none"} data-sidechain={isSidechain || undefined} data-chosen={chosen || undefined}>
      <div className="row small quiet">
        <strong>{role ?? (subtype ? `${kind}: ${subtype}` : kind || "not JSON")}</strong>
        {isSidechain && <span className="tag">subagent{agentId ? ` ${agentId}` : ""}</span>}
        {model && <span className="cut">{model}</span>}
        <span className="grow" />
        {timestamp && <time dateTime={timestamp}>{written.format(new Date(timestamp))}</time>}
        <Button kind="bare" onPress={showRaw} aria-expanded={record !== null} aria-label={`Raw record of line ${line}`}>
          raw
        </Button>
        <a href={address} aria-label={`Link to line ${line}`}>
          {line}
        </a>
      </div>
      {thinking && (
        <details>
          <summary>Thinking</summary>
          <Long text={thinking} words={words} />
        </details>
      )}
      {text && <Long text={text} words={words} />}
      {toolCalls.map((call, place) => (
        <ToolCall key={call.id ?? place} call={call} line={line} raw={raw} />
      ))}
      {toolResults.map((result, place) => (
        <details key={result.callId ?? place}>
          <summary>
            {result.isError ? <span className="wrong">Failed</span> : "Result"} <code>{result.text.slice(0, 120)}</code>
          </summary>
          <pre tabIndex={0}>
            <Highlighted text={result.text} words={words} />
          </pre>
        </details>
      ))}
      {record !== null && (
        <pre tabIndex={0} aria-label={`Line ${line} as it is in the transcript`}>
          {record}
        </pre>
      )}
    </div>
  );
});

function Long({ text, words }: { text: string; words: RegExp | null }) {
  const [whole, setWhole] = useState(false);
  const shown = whole || text.length <= LONG ? text : text.slice(0, LONG);
  return (
    <div className="said">
      <Highlighted text={shown} words={words} />
      {shown.length < text.length && (
        <div>
          <Button onPress={() => setWhole(true)}>Show the rest</Button>
        </div>
      )}
    </div>
  );
}
