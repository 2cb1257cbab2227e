// All sessions, filtered by what the address says, following what other machines back up; and the
// search inside their conversations.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useDeferredValue, useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "wouter";

import { bytes, count } from "../amounts";
import { useAsk } from "../ask";
import { type FeedEvent, useFeed } from "../feed";
import { type ResultOf, graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Fragments } from "../ui/fragments";
import { Ago, Button, Empty, Failure, Field, Live, Loading } from "../ui/kit";

const SESSIONS = graphql(`
  query Sessions($filter: SessionFilter, $orderBy: SessionOrder!, $after: Cursor) {
    sessions(filter: $filter, orderBy: $orderBy, first: 50, after: $after) {
      nodes { id sessionId name title projectName gitBranch startedAt endedAt updatedAt conversationSize conversationLines tags }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const SEARCH = graphql(`
  query SearchConversations($query: String!, $filter: ConversationFilter, $after: Cursor) {
    searchConversations(query: $query, filter: $filter, first: 30, after: $after) {
      nodes {
        message { line role timestamp file }
        snippet { text hit }
        session { id name title sessionId projectName }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const FEED = `
  subscription MyFeed($after: Cursor) {
    myFeed(after: $after) { __typename cursor at ... on SessionEvent { sessionNodeId } }
  }
`;

type Session = ResultOf<typeof SESSIONS>["sessions"]["nodes"][number];
type Order = "UPDATED" | "STARTED" | "SIZE";

const ORDERS: [Order, string][] = [
  ["UPDATED", "Last changed first"],
  ["STARTED", "Last begun first"],
  ["SIZE", "Largest first"],
];
const RUNNING_MS = 120_000;

interface Asked {
  text: string;
  project: string;
  branch: string;
  conversation: string;
  order: Order;
}

export default function SessionsPage() {
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string) =>
    setParams(
      (before) => {
        const now = new URLSearchParams(before);
        if (value) now.set(name, value);
        else now.delete(name);
        return now;
      },
      { replace: true },
    );
  const get = (name: string) => params.get(name) ?? "";
  const words = useDeferredValue(get("q").trim());
  const asked: Asked = {
    text: get("text").trim(),
    project: get("project").trim(),
    branch: get("branch").trim(),
    conversation: get("conversation"),
    order: ORDERS.find(([name]) => name === get("order"))?.[0] ?? "UPDATED",
  };
  const key = useDeferredValue(JSON.stringify(asked));
  return (
    <>
      <title>Sessions · Teamlore</title>
      <h1>Sessions</h1>
      <div className="search spaced" role="search">
        <input
          type="search"
          aria-label="Search inside conversations"
          placeholder="Search what was said: words, &quot;a phrase&quot;, word*, -not"
          value={get("q")}
          onChange={(e) => set("q", e.target.value)}
        />
      </div>
      <form className="filters" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
        <Field label="Project">{(ids) => <input {...ids} value={get("project")} onChange={(e) => set("project", e.target.value)} />}</Field>
        {!words && (
          <>
            <Field label="Name or title">{(ids) => <input {...ids} value={get("text")} onChange={(e) => set("text", e.target.value)} />}</Field>
            <Field label="Branch">{(ids) => <input {...ids} value={get("branch")} onChange={(e) => set("branch", e.target.value)} />}</Field>
            <Field label="Conversation">
              {(ids) => (
                <select {...ids} value={asked.conversation} onChange={(e) => set("conversation", e.target.value)}>
                  <option value="">with or without</option>
                  <option value="yes">backed up</option>
                  <option value="no">not backed up</option>
                </select>
              )}
            </Field>
            <Field label="Order">
              {(ids) => (
                <select {...ids} value={asked.order} onChange={(e) => set("order", e.target.value)}>
                  {ORDERS.map(([name, label]) => (
                    <option key={name} value={name}>
                      {label}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </>
        )}
      </form>
      {words ? <Hits key={`${words} ${asked.project}`} words={words} project={asked.project} /> : <SessionList key={key} asked={JSON.parse(key)} />}
    </>
  );
}

function filterOf({ text, project, branch, conversation }: Asked) {
  return {
    text: text || null,
    project: project || null,
    branch: branch || null,
    hasConversation: conversation ? conversation === "yes" : null,
  };
}

interface Listed {
  sessions: Session[];
  after: string | null;
  more: boolean;
}

// The list as far as it was scrolled; whatever happens elsewhere renews its head.
function useSessions(asked: Asked) {
  const ask = useAsk();
  const [listed, setListed] = useState<Listed | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const given = JSON.stringify(asked);

  const page = useCallback(
    async (after: string | null) => {
      const now: Asked = JSON.parse(given);
      return (await ask(SESSIONS, { filter: filterOf(now), orderBy: now.order, after })).sessions;
    },
    [ask, given],
  );
  const more = useCallback(async () => {
    if (busy || !listed?.more) return;
    setBusy(true);
    try {
      const { nodes, pageInfo } = await page(listed.after);
      setListed((before) => {
        const known = new Set(before?.sessions.map(({ id }) => id));
        const fresh = nodes.filter(({ id }) => !known.has(id));
        return { sessions: [...(before?.sessions ?? []), ...fresh], after: pageInfo.endCursor, more: pageInfo.hasNextPage };
      });
    } catch (error) {
      setFailed((error as Error).message);
    } finally {
      setBusy(false);
    }
  }, [busy, listed, page]);
  const renew = useCallback(async () => {
    try {
      const { nodes, pageInfo } = await page(null);
      setFailed(null);
      setListed((before) => {
        const whole = !before || before.sessions.length <= nodes.length || !pageInfo.hasNextPage;
        if (whole) return { sessions: nodes, after: pageInfo.endCursor, more: pageInfo.hasNextPage };
        const fresh = new Set(nodes.map(({ id }) => id));
        return { ...before, sessions: [...nodes, ...before.sessions.filter(({ id }) => !fresh.has(id))] };
      });
    } catch (error) {
      setFailed((error as Error).message);
    }
  }, [page]);
  const drop = useCallback(
    (id: string) => setListed((before) => before && { ...before, sessions: before.sessions.filter((session) => session.id !== id) }),
    [],
  );
  useEffect(() => void renew(), [renew]);
  return { listed, failed, busy, more, renew, drop };
}

interface MyEvent extends FeedEvent {
  sessionNodeId?: string;
}

function SessionList({ asked }: { asked: Asked }) {
  const { listed, failed, busy, more, renew, drop } = useSessions(asked);
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(soon.current), []);
  const state = useFeed<MyEvent>({
    query: FEED,
    field: "myFeed",
    variables: {},
    onBegun: () => void renew(),
    onEvent: ({ __typename, sessionNodeId }) => {
      if (!sessionNodeId) return;
      if (__typename === "SessionDeleted") return drop(sessionNodeId);
      clearTimeout(soon.current); // a burst of backups asks once
      soon.current = setTimeout(() => void renew(), 150);
    },
  });
  if (failed && !listed) return <Failure message={failed} retry={() => void renew()} />;
  if (!listed) return <Loading what="your sessions" />;
  if (listed.sessions.length === 0) return <NoSessions filtered={Object.values(filterOf(asked)).some((value) => value !== null)} />;
  return (
    <>
      {failed && <Failure message={failed} retry={() => void renew()} />}
      <div className="row small quiet">
        <span className="grow" role="status">
          {listed.more ? `The first ${listed.sessions.length} sessions` : count(listed.sessions.length, "session")}
        </span>
        <Live state={state} />
      </div>
      <Rows sessions={listed.sessions} onEnd={listed.more && !busy ? more : null} />
    </>
  );
}

function NoSessions({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No session is like that">Take a filter away.</Empty>;
  return (
    <Empty title="No sessions yet">
      <p>They appear here as soon as a machine backs one up: set the session scripts up with a key from the settings.</p>
      <Link to="/settings">To the keys</Link>
    </Empty>
  );
}

function Rows({ sessions, onEnd }: { sessions: Session[]; onEnd: (() => void) | null }) {
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
        <span className="grow">{session.conversationSize > 0 ? `${count(session.conversationLines, "line")}, ${bytes(session.conversationSize)}` : "not backed up"}</span>
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

function Hits({ words, project }: { words: string; project: string }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({
    query: SEARCH,
    variables: { query: words, filter: { project: project || null }, after },
  });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="what was said" />;
  const { nodes, pageInfo } = data.searchConversations;
  if (nodes.length === 0) return <Empty title="Nobody said that">Try fewer words, or the beginning of one: word*</Empty>;
  return (
    <>
      <ul className="plain stack">
        {nodes.map(({ message, snippet, session }) => (
          <li key={`${session?.id} ${message.file} ${message.line}`}>
            <Link className="entry" to={hitAddress(session?.id ?? "", message, words)}>
              <span className="row small quiet">
                <strong className="cut">{session?.name ?? session?.title ?? session?.sessionId}</strong>
                <span className="grow">
                  {message.role ?? "record"}, line {message.line}
                </span>
                {message.timestamp && <Ago at={message.timestamp} />}
              </span>
              <span className="snippet">
                <Fragments pieces={snippet} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {pageInfo.hasNextPage && (
        <div className="row spaced">
          <Button onPress={() => setAfter(pageInfo.endCursor)} isDisabled={fetching}>
            {fetching ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </>
  );
}

export function hitAddress(session: string, { line, file }: { line: number; file: string }, words: string): string {
  const query = new URLSearchParams({ line: String(line), q: words });
  if (file) query.set("file", file);
  return `/sessions/${encodeURIComponent(session)}?${query}`;
}
