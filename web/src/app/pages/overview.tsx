// The page one lands on: what happened lately, and what it took.
import "../overview/overview.css";

import { Suspense, lazy, useMemo, useState } from "react";
import { Link } from "wouter";

import { bytes, compact, count } from "../amounts";
import { graphql } from "../graph";
import { Calendar } from "../overview/calendar";
import { said } from "../problems";
import { useQuery } from "../query";
import { Ago, Empty, Failure, Field, Loading } from "../ui/kit";

// The chart and its library come after the numbers.
const DayChart = lazy(() => import("../overview/day-chart"));

const OVERVIEW = graphql(`
  query Overview {
    viewer {
      id username email
      teams { id name }
      usage {
        knowledgeEntries sessionSummaries sessions sharedSessions conversationBytes versionBytes syncActions apiKeys teams
        days(last: 90) { date knowledge sessions summaries total }
      }
    }
    sessions(first: 5) { nodes { id name title sessionId projectName updatedAt } }
  }
`);

const TOKENS = graphql(`
  query Tokens($from: Date) {
    viewer {
      id
      byDay: tokenUsage(by: DAY, from: $from) { name tokens { messages input output cacheCreation cacheRead } }
      byModel: tokenUsage(by: MODEL, from: $from) { name tokens { messages input output cacheCreation cacheRead } }
      byProject: tokenUsage(by: PROJECT, from: $from) { name tokens { messages input output cacheCreation cacheRead } }
    }
  }
`);

const SPANS = [7, 30, 90, 365];

export default function OverviewPage() {
  const [{ data, error }, again] = useQuery({ query: OVERVIEW, requestPolicy: "cache-and-network" });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="the overview" />;
  const { usage } = data.viewer;
  const amounts: [string, string, string | null][] = [
    ["Sessions", compact(usage.sessions), "/sessions"],
    ["Knowledge", compact(usage.knowledgeEntries), "/knowledge"],
    ["Summaries", compact(usage.sessionSummaries), null],
    ["Teams", compact(usage.teams), "/teams"],
    ["Shared sessions", compact(usage.sharedSessions), null],
    ["Conversations", bytes(usage.conversationBytes), null],
    ["All versions", bytes(usage.versionBytes), null],
    ["Keys", compact(usage.apiKeys), "/settings"],
  ];
  return (
    <>
      <title>Overview · Teamlore</title>
      <h1>Overview</h1>
      <dl className="amounts">
        {amounts.map(([name, amount, to]) => (
          <div key={name} className="card">
            <dt>{to ? <Link to={to}>{name}</Link> : name}</dt>
            <dd>{amount}</dd>
          </div>
        ))}
      </dl>
      <div className="columns spaced">
        <section className="card" aria-labelledby="activity">
          <h2 id="activity">The last 90 days</h2>
          <Calendar days={usage.days} />
        </section>
        <section className="card" aria-labelledby="latest">
          <h2 id="latest">Latest sessions</h2>
          {data.sessions.nodes.length === 0 && <p className="quiet">None yet. A machine that backs one up brings it here.</p>}
          <ul className="plain stack">
            {data.sessions.nodes.map((session) => (
              <li key={session.id}>
                <Link className="cut block" to={`/sessions/${encodeURIComponent(session.id)}`}>
                  {session.name ?? session.title ?? session.sessionId}
                </Link>
                <span className="small quiet">
                  <Ago at={session.updatedAt} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      </div>
      <Tokens />
    </>
  );
}

function Tokens() {
  const [span, setSpan] = useState(30);
  const from = useMemo(() => new Date(Date.now() - (span - 1) * 86_400_000).toISOString().slice(0, 10), [span]);
  const [{ data, error }, again] = useQuery({ query: TOKENS, variables: { from } });
  return (
    <section className="card spaced" aria-labelledby="tokens">
      <div className="row">
        <h2 id="tokens" className="grow">
          Tokens
        </h2>
        <Field label="Of the last">
          {(ids) => (
            <select {...ids} value={span} onChange={(e) => setSpan(Number(e.target.value))}>
              {SPANS.map((days) => (
                <option key={days} value={days}>
                  {days} days
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {error && !data && <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />}
      {!data && !error && <Loading what="tokens" />}
      {data && <TokensOf {...data.viewer} from={from} />}
    </section>
  );
}

interface Group {
  name: string | null;
  tokens: { messages: number; input: number; output: number; cacheCreation: number; cacheRead: number };
}

interface Groups {
  byDay: Group[];
  byModel: Group[];
  byProject: Group[];
}

function TokensOf({ byDay, byModel, byProject, from }: Groups & { from: string }) {
  const days = useMemo(() => byDay.flatMap(({ name, tokens }) => (name ? [{ day: name, ...tokens }] : [])), [byDay]);
  if (byDay.length === 0) return <Empty title="No answers in this time">Tokens are counted once a conversation is backed up and read.</Empty>;
  return (
    <>
      <Suspense fallback={<Loading what="the chart" />}>
        <DayChart days={days} from={from} />
      </Suspense>
      <details>
        <summary>The same as a table</summary>
        <Table caption="Tokens by day" groups={byDay} />
      </details>
      <div className="halves spaced">
        <Table caption="By model" groups={byModel} />
        <Table caption="By project" groups={byProject} />
      </div>
    </>
  );
}

function Table({ caption, groups }: { caption: string; groups: Group[] }) {
  return (
    <div className="scrolls" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Answers</th>
            <th scope="col">Read</th>
            <th scope="col">Written</th>
            <th scope="col">Cached</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, tokens }) => (
            <tr key={name}>
              <th scope="row" className="cut">
                {name ?? "unknown"}
              </th>
              <td title={count(tokens.messages, "answer")}>{compact(tokens.messages)}</td>
              <td>{compact(tokens.input)}</td>
              <td>{compact(tokens.output)}</td>
              <td>{compact(tokens.cacheCreation + tokens.cacheRead)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
