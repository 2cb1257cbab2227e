// One session: its conversation, and beside it what is known about it.
import { useDeferredValue, useEffect, useState } from "react";
import { Link, useSearchParams } from "wouter";

import "../conversation/conversation.css";

import { About } from "../conversation/about";
import Transcript from "../conversation/transcript";
import { type ResultOf, graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Fragments } from "../ui/fragments";
import { Ago, Empty, Failure, Loading } from "../ui/kit";
import { hitAddress } from "../sessions/hits";

const SESSION = graphql(`
  query Session($id: ID!) {
    session(id: $id) {
      id sessionId name title projectName workingDirectory gitBranch startedAt endedAt updatedAt
      conversationSize conversationLines tags notes
      counts { kind count }
      models claudeVersions folders gitBranches
      reading { version size lines problem }
      usage {
        total { messages input output cacheCreation cacheRead }
        costEstimate { amount currency unpricedModels }
        byModelAndDay { model day tokens { output } }
      }
      files { path size lines }
      versions { number size lines updatedAt }
      shares { id expiresAt team { id name } }
    }
  }
`);

const LINE_AT = graphql(`
  query LineAt($id: ID!, $at: DateTime!) {
    session(id: $id) {
      id
      before: messages(filter: { until: $at }, last: 1) { nodes { line } }
      after: messages(filter: { since: $at }, first: 1) { nodes { line } }
    }
  }
`);

const FIND = graphql(`
  query FindInSession($query: String!, $id: ID!) {
    searchConversations(query: $query, filter: { session: $id }, first: 50) {
      nodes { message { line role file } snippet { text hit } }
      pageInfo { hasNextPage }
    }
  }
`);

export type Opened = NonNullable<ResultOf<typeof SESSION>["session"]>;

export default function SessionPage({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: SESSION, variables: { id } });
  const [params, setParams] = useSearchParams();
  const retry = () => again({ requestPolicy: "network-only" });
  useLineAt(id);
  if (error && !data) return <Failure message={said(error)} retry={retry} />;
  if (!data) return <Loading what="the session" />;
  const { session } = data;
  if (!session)
    return (
      <Empty title="There is no such session">
        It was deleted, or it is somebody else's. <Link to="/sessions">To your sessions</Link>
      </Empty>
    );
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
  const file = params.get("file") ?? "";
  const line = Number.parseInt(params.get("line") ?? "", 10);
  const words = params.get("q") ?? "";
  const title = session.name ?? session.title ?? session.sessionId;
  return (
    <div className="session">
      <title>{`${title} · Teamlore`}</title>
      <div>
        <Link to="/sessions" className="small">
          All sessions
        </Link>
        <h1 className="summary">{title}</h1>
        <p className="quiet small">
          {[session.projectName, session.gitBranch, "changed "].filter(Boolean).join(" · ")}
          <Ago at={session.updatedAt} />
        </p>
        {session.reading.problem && <Failure message={`It could not be read to its end: ${session.reading.problem}`} />}
      </div>
      <div className="reading">
        <section aria-label="The conversation">
          <Find session={session.id} words={words} onWords={(given) => set("q", given)} />
          <Transcript key={file} id={session.id} file={file} line={Number.isNaN(line) ? null : line} query={words} onJump={(to) => set("line", String(to))} />
        </section>
        <About session={session} file={file} onChanged={retry} />
      </div>
    </div>
  );
}

// An address with a time instead of a line becomes that of the last line until then.
function useLineAt(id: string) {
  const [params, setParams] = useSearchParams();
  const at = params.get("at");
  const [{ data, error }] = useQuery({ query: LINE_AT, variables: { id, at: at ?? "" }, pause: !at });
  const found = data?.session && (data.session.before.nodes[0] ?? data.session.after.nodes[0]);
  const done = at !== null && (data !== undefined || error !== undefined);
  useEffect(() => {
    if (done) setParams(found ? { line: String(found.line) } : {}, { replace: true });
  }, [done, found, setParams]);
}

function Find({ session, words, onWords }: { session: string; words: string; onWords: (words: string) => void }) {
  const asked = useDeferredValue(words.trim());
  const [open, setOpen] = useState(false);
  const [{ data, error }] = useQuery({ query: FIND, variables: { query: asked, id: session }, pause: asked === "" });
  const hits = asked ? (data?.searchConversations.nodes ?? []) : [];
  const more = data?.searchConversations.pageInfo.hasNextPage ? "more than " : "";
  return (
    <div className="search" role="search">
      <input type="search" aria-label="Find in this conversation" placeholder="Find in this conversation" value={words} onChange={(e) => onWords(e.target.value)} />
      {error && <Failure message={said(error)} />}
      {asked && data && (
        <details open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
          <summary className="small quiet">{hits.length === 1 ? "1 place" : `${more}${hits.length} places`}</summary>
          <ol className="plain stack hits">
            {hits.map(({ message, snippet }) => (
              <li key={`${message.file} ${message.line}`}>
                <Link className="entry" to={hitAddress(session, message, words)} onClick={() => setOpen(false)}>
                  <span className="small quiet">
                    {message.role ?? "record"}, line {message.line}
                  </span>
                  <span className="snippet">
                    <Fragments pieces={snippet} />
                  </span>
                </Link>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
