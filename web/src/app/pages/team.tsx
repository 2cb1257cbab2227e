// A team: what happens, who is in it, what was shared, and what its owners may do.
import { useState } from "react";
import { Link } from "wouter";

import { type FeedEvent, useFeed } from "../feed";
import { graphql } from "../graph";
import { called } from "../people";
import { said } from "../problems";
import { useQuery } from "../query";
import { TeamAudit } from "../teams/audit";
import { Invitations } from "../teams/invitations";
import { Learned } from "../teams/learned";
import { Members } from "../teams/members";
import { Ownership } from "../teams/ownership";
import { SharedSessions } from "../teams/shared-sessions";
import { Ago, Empty, Failure, Live, Loading } from "../ui/kit";

const TEAM = graphql(`
  query Team($id: ID!, $week: EpochMillis!) {
    viewer { id }
    team(id: $id) {
      id
      name
      myRole
      members(first: 100, orderBy: BY_ROLE) { totalCount nodes { role joinedAt user { id username email } } }
      sharedSessions(first: 50) {
        nodes {
          id title projectName gitBranch note sharedAt expiresAt conversationLines sessionNodeId
          sharedBy { id username email }
        }
      }
      knowledge(first: 8) { nodes { id summary type timestamp } }
      week: knowledge(first: 100, filter: { timestamp: { from: $week } }) { totalCount nodes { id author { id username email } } }
    }
  }
`);

const FEED = `
  subscription TeamFeed($id: ID!, $after: Cursor) {
    teamFeed(teamId: $id, after: $after) {
      __typename cursor at
      actor { id username email }
      ... on KnowledgeCreated { entry { id summary } }
      ... on KnowledgeUpdated { entry { id summary } }
      ... on MembershipEvent { member { username email } }
      ... on SessionShared { sharedSession { id title } }
      ... on TeamRenamed { name }
    }
  }
`;

interface Person {
  username: string | null;
  email: string | null;
}

interface TeamEvent extends FeedEvent {
  __typename: string;
  at: string;
  actor: Person | null;
  entry?: { id: string; summary: string } | null;
  member?: Person | null;
  sharedSession?: { title: string | null } | null;
  name?: string | null;
}

const KEPT = 200;
const WEEK_MS = 7 * 86_400_000;

export default function TeamPage({ id }: { id: string }) {
  const [week] = useState(() => Date.now() - WEEK_MS);
  const [{ data, error, fetching }, again] = useQuery({ query: TEAM, variables: { id, week } });
  const [events, setEvents] = useState<TeamEvent[]>([]);
  const renew = () => again({ requestPolicy: "network-only" });
  const state = useFeed<TeamEvent>({
    query: FEED,
    field: "teamFeed",
    variables: { id },
    scopes: [id],
    onBegun: renew,
    onEvent: (event) => {
      setEvents((all) => [event, ...all].slice(0, KEPT));
      renew();
    },
  });
  if (error && !data) return <Failure message={said(error)} retry={renew} />;
  if (fetching && !data) return <Loading what="the team" />;
  if (!data?.team)
    return (
      <Empty title="There is no such team">
        Or you are no longer in it. <Link to="/teams">To your teams</Link>
      </Empty>
    );
  const { team, viewer } = data;
  const leads = team.myRole === "OWNER" || team.myRole === "ADMIN";
  return (
    <>
      <title>{`${team.name} · Teamlore`}</title>
      <div className="row">
        <h1 className="grow">{team.name}</h1>
        <Live state={state} />
      </div>
      <div className="columns">
        <div className="stack">
          <section aria-labelledby="happens">
            <h2 id="happens">What happens</h2>
            {events.length === 0 && <p className="quiet">What the team learns appears here while you look.</p>}
            <ol className="plain stack" aria-live="polite">
              {events.map((event) => (
                <li key={event.cursor} className="card">
                  <div>{sentence(event)}</div>
                  <div className="quiet small">
                    <Ago at={event.at} />
                  </div>
                </li>
              ))}
            </ol>
          </section>
          <Learned team={team.id} entries={team.knowledge.nodes} weekly={team.week.nodes} many={team.week.totalCount} />
          <SharedSessions sessions={team.sharedSessions.nodes} me={viewer.id} onChanged={renew} />
        </div>
        <div className="stack">
          <Members team={team} members={team.members.nodes} me={viewer.id} onChanged={renew} />
          {leads && <Invitations team={team} onChanged={renew} />}
          <Ownership team={team} onChanged={renew} />
          {leads && <TeamAudit id={team.id} />}
        </div>
      </div>
    </>
  );
}

function sentence(event: TeamEvent) {
  const who = <strong>{called(event.actor)}</strong>;
  switch (event.__typename) {
    case "KnowledgeCreated":
      return <>{who} learned: {event.entry?.summary ?? "something since deleted"}</>;
    case "KnowledgeUpdated":
      return <>{who} changed: {event.entry?.summary ?? "something since deleted"}</>;
    case "KnowledgeDeleted":
      return <>{who} deleted an entry</>;
    case "SessionShared":
      return <>{who} shared a session: {event.sharedSession?.title ?? "without a title"}</>;
    case "TeamRenamed":
      return <>{who} renamed the team: {event.name}</>;
    case "MemberJoined":
      return <><strong>{called(event.member)}</strong> joined</>;
    case "MemberLeft":
      return <><strong>{called(event.member)}</strong> left</>;
    default:
      return <>{who}: {event.__typename.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}</>;
  }
}
