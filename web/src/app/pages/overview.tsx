// The page one lands on: what happened lately, and what it took.
import "../overview/overview.css";

import { Link } from "wouter";

import { compact } from "../amounts";
import { graphql } from "../graph";
import { Calendar } from "../overview/calendar";
import { Kept } from "../overview/kept";
import { Tokens } from "../overview/tokens";
import { said } from "../problems";
import { useQuery } from "../query";
import { Ago, Failure, Loading } from "../ui/kit";

const OVERVIEW = graphql(`
  query Overview {
    viewer {
      id username email
      teams { id name }
      usage {
        knowledgeEntries sessionSummaries sessions sharedSessions conversationBytes versionBytes syncActions apiKeys teams
        days(last: 90) { date knowledge sessions summaries total }
      }
      machines { id name revoked sessions conversationBytes lastBackupAt }
    }
    sessions(first: 5) { nodes { id name title sessionId projectName updatedAt } }
  }
`);

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
    ["Shared", compact(usage.sharedSessions), null],
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
      <Kept usage={usage} machines={data.viewer.machines} />
    </>
  );
}
