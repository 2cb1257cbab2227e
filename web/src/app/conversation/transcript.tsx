// The conversation as a feed of articles, of which only those in view exist.
import { useVirtualizer } from "@tanstack/react-virtual";
import { type FormEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import { count } from "../amounts";
import { Button, Empty, Failure, Live, Loading } from "../ui/kit";
import { wordsOf } from "./highlight";
import { MessageRow } from "./message";
import { type Records, useRecords } from "./records";

interface TranscriptProps {
  id: string;
  file: string;
  line: number | null;
  query: string;
  onJump: (line: number) => void;
}

export default function Transcript(props: TranscriptProps) {
  const records = useRecords(props.id, props.file);
  const { total, failed, again } = records;
  if (failed && total === null) return <Failure message={failed} retry={again} />;
  if (total === null) return <Loading what="the conversation" />;
  if (total === 0) return <Empty title="Nothing to read yet">The conversation was not backed up, or is being read this moment.</Empty>;
  return (
    <>
      {failed && <Failure message={failed} retry={again} />}
      <Scrolled {...props} records={records} total={total} />
    </>
  );
}

function Scrolled({ id, file, line, query, onJump, records, total }: TranscriptProps & { records: Records; total: number }) {
  const box = useRef<HTMLDivElement>(null);
  const words = useMemo(() => wordsOf(query), [query]);
  const { want, at, blank, state } = records;
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => box.current,
    estimateSize: (place) => (blank(place + 1) && !at(place + 1) ? 0 : 110),
    overscan: 24,
  });
  const shown = rows.getVirtualItems();
  const first = shown[0]?.index ?? 0;
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => want(first + 1, last + 1), [want, first, last]);

  useLayoutEffect(() => {
    if (line !== null && line >= 1) rows.scrollToIndex(Math.min(line, total) - 1, { align: "start" });
    // Only when another line is asked for: what is appended must not scroll back there.
  }, [line, id, file]);

  // Whoever reads the end stays at the end.
  const before = useRef(total);
  useLayoutEffect(() => {
    const element = box.current;
    const grown = total > before.current;
    before.current = total;
    if (element && grown && element.scrollHeight - element.scrollTop - element.clientHeight < 300) rows.scrollToIndex(total - 1, { align: "end" });
  }, [total, rows]);

  const address = (number: number) => {
    const given = new URLSearchParams({ line: String(number) });
    if (file) given.set("file", file);
    return `/sessions/${encodeURIComponent(id)}?${given}`;
  };
  return (
    <>
      <div className="row small quiet">
        <span role="status">{count(total, "line")}</span>
        {file === "" && <Live state={state} />}
        <span className="grow" />
        <Button onPress={() => onJump(1)}>First</Button>
        <Button onPress={() => onJump(total)}>Last</Button>
        <JumpTo total={total} onJump={onJump} />
      </div>
      <div ref={box} className="transcript" role="feed" aria-label="Conversation" tabIndex={0} aria-busy={false}>
        <div className="rows" role="presentation" style={{ height: rows.getTotalSize() }}>
          {shown.map((item) => {
            const number = item.index + 1;
            const message = at(number);
            const nothing = !message && blank(number);
            return (
              <article
                key={item.key}
                ref={rows.measureElement}
                data-index={item.index}
                aria-posinset={number}
                aria-setsize={total}
                aria-label={`Line ${number}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {message && (
                  <MessageRow message={message} words={words} chosen={number === line} address={address(number)} raw={records.raw} />
                )}
                {!message && !nothing && <div className="message waiting">Line {number}</div>}
              </article>
            );
          })}
        </div>
      </div>
    </>
  );
}

function JumpTo({ total, onJump }: { total: number; onJump: (line: number) => void }) {
  const [given, setGiven] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const line = Number(given);
    if (line >= 1) onJump(Math.min(line, total));
  };
  return (
    <form className="jump" onSubmit={submit}>
      <input
        type="number"
        min={1}
        max={total}
        aria-label="Jump to line"
        placeholder="line"
        value={given}
        onChange={(e) => setGiven(e.target.value)}
      />
      <Button type="submit">Jump</Button>
    </form>
  );
}
