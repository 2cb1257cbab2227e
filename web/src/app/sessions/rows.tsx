// Sessions, one below the other, of which only those in view exist.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";

import { bytes, count } from "../amounts";
import { Ago } from "../ui/kit";
import type { Session } from "./listing";

const RUNNING_MS = 120_000;

export function Rows({ sessions, onEnd }: { sessions: Session[]; onEnd: (() => void) | null }) {
  const list = useRef<HTMLUListElement>(null);
  const rows = useWindowVirtualizer({
    count: sessions.length,
    estimateSize: () => 74,
    overscan: 10,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (place) => sessions[place]?.id ?? place,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd && last >= sessions.length - 10) onEnd();
  }, [last, sessions.length, onEnd]);
  return (
    <ul className="plain rows" ref={list} style={{ height: rows.getTotalSize() }}>
      {shown.map((item) => {
        const session = sessions[item.index];
        if (!session) return null;
        return (
          <li
            key={item.key}
            ref={rows.measureElement}
            data-index={item.index}
            aria-setsize={sessions.length}
            aria-posinset={item.index + 1}
            style={{ transform: `translateY(${item.start - rows.options.scrollMargin}px)` }}
          >
            <Row session={session} />
          </li>
        );
      })}
    </ul>
  );
}

function Row({ session }: { session: Session }) {
  const running = useRunning(session.updatedAt);
  return (
    <Link className="entry" to={`/sessions/${encodeURIComponent(session.id)}`}>
      <span className="row">
        <span className="grow strong cut">{session.name ?? session.title ?? session.sessionId}</span>
        {running && (
          <span className="live" data-state="live">
            running
          </span>
        )}
      </span>
      <span className="row small quiet">
        {session.projectName && <span className="tag cut">{lastPart(session.projectName)}</span>}
        {session.gitBranch && <code className="cut">{session.gitBranch}</code>}
        <span className="grow nowrap">{session.conversationSize > 0 ? `${count(session.conversationLines, "line")}, ${bytes(session.conversationSize)}` : "not backed up"}</span>
        <Ago at={session.updatedAt} />
      </span>
    </Link>
  );
}

// Whether something changed in the last two minutes; says so until they are over.
function useRunning(at: string): boolean {
  const left = new Date(at).getTime() + RUNNING_MS - Date.now();
  const [, tick] = useState(0);
  useEffect(() => {
    if (left <= 0) return undefined;
    const later = setTimeout(() => tick((n) => n + 1), left + 50);
    return () => clearTimeout(later);
  }, [left]);
  return left > 0;
}

export function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
