// All sessions, filtered by what the address says, following what other machines back up; and the
// search inside their conversations.
import { useDeferredValue, useEffect, useRef } from "react";
import { Link, useSearchParams } from "wouter";

import { count } from "../amounts";
import { type FeedEvent, useFeed } from "../feed";
import { type Asked, Filters, askedOf, filterOf } from "../sessions/filters";
import { Hits } from "../sessions/hits";
import { useSessions } from "../sessions/listing";
import { Rows } from "../sessions/rows";
import { Empty, Failure, Live, Loading } from "../ui/kit";

const FEED = `
  subscription MyFeed($after: Cursor) {
    myFeed(after: $after) { __typename cursor at ... on SessionEvent { sessionNodeId } }
  }
`;

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
  const key = useDeferredValue(JSON.stringify(askedOf(params)));
  const asked: Asked = JSON.parse(key);
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
      <Filters get={get} set={set} searching={words !== ""} />
      {words ? <Hits key={`${words} ${key}`} words={words} asked={asked} /> : <SessionList key={key} asked={asked} />}
    </>
  );
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
