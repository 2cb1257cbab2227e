// What a tool was asked, whole, out of the raw record once it is unfolded: edits as a difference,
// anything else as it is.
import { useState } from "react";

interface Edit {
  old_string?: unknown;
  new_string?: unknown;
}

interface Call {
  id: string | null;
  name: string;
  input: string;
}

type Given = Record<string, unknown>;

export function ToolCall({ call, line, raw }: { call: Call; line: number; raw: (line: number) => Promise<string> }) {
  const [given, setGiven] = useState<Given | null>(null);
  const unfolded = (open: boolean) => {
    if (!open || given) return;
    raw(line).then((record) => setGiven(inputOf(record, call)), () => {});
  };
  return (
    <details onToggle={(event) => unfolded(event.currentTarget.open)}>
      <summary>
        <span className="tag">{call.name}</span> <code>{call.input}</code>
      </summary>
      {given ? <Whole given={given} /> : <pre tabIndex={0}>{call.input}</pre>}
    </details>
  );
}

function Whole({ given }: { given: Given }) {
  const edits = editsOf(given);
  if (edits.length > 0)
    return (
      <>
        {typeof given["file_path"] === "string" && <code>{given["file_path"]}</code>}
        {edits.map((edit, place) => (
          <pre key={place} tabIndex={0} className="difference">
            {edit.old_string ? <del>{String(edit.old_string)}</del> : null}
            <ins>{String(edit.new_string ?? "")}</ins>
          </pre>
        ))}
      </>
    );
  if (typeof given["command"] === "string") return <pre tabIndex={0}>{given["command"]}</pre>;
  return <pre tabIndex={0}>{JSON.stringify(given, null, 2)}</pre>;
}

// The input of this very call; null when the record is not what it usually is.
function inputOf(record: string, call: Call): Given | null {
  try {
    const content: unknown = (JSON.parse(record) as { message?: { content?: unknown } }).message?.content;
    const parts = Array.isArray(content) ? (content as Given[]) : [];
    const part = parts.find(({ type, id, name }) => type === "tool_use" && (call.id ? id === call.id : name === call.name));
    return part?.["input"] && typeof part["input"] === "object" ? (part["input"] as Given) : null;
  } catch {
    return null;
  }
}

function editsOf(given: Given): Edit[] {
  if (Array.isArray(given["edits"])) return given["edits"] as Edit[];
  if ("new_string" in given) return [given];
  if ("content" in given && "file_path" in given) return [{ new_string: given["content"] }];
  return [];
}
