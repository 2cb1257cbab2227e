import { useState } from "react";
import { useQuery } from "urql";

import { type FeedEvent, useFeed } from "../feed";
import { graphql } from "../graph";
import { said } from "../problems";
import { Ago, Empty, Failure, Loading } from "../ui/kit";

const TEAM = graphql(`
  query Team($id: ID!) {
    team(id: $id) {
      id
      name
      myRole
      members(first: 100) { totalCount nodes { role joinedAt user { id username email } } }
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
    }
  }
`;

interface Person {
  username: string | null;
  email: string | null;
}

interface TeamEvent extends FeedEvent {
  actor: Person | null;
  entry?: { id: string; summary: string } | null;
  member?: Person | null;
}

const KEPT = 200;

export default function TeamPage({ id }: { id: string }) {
  const [{ data, error, fetching }, again] = useQuery({ query: TEAM, variables: { id } });
  const [events, setEvents] = useState<TeamEvent[]>([]);
  const state = useFeed<TeamEvent>({
    query: FEED,
    field: "teamFeed",
    variables: { id },
    onEvent: (event) => {
      setEvents((all) => [event, ...all].slice(0, KEPT));
      if (event.__typename.startsWith("Member")) again({ requestPolicy: "network-only" });
    },
  });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (fetching && !data) return <Loading what="the team" />;
  if (!data?.team) return <Empty title="There is no such team">Or you are no longer in it.</Empty>;
  const { team } = data;
  return (
    <>
      <title>{`${team.name} · Teamlore`}</title>
      <div className="row">
        <h1 className="grow">{team.name}</h1>
        <span className="live" data-state={state}>
          {state === "live" ? "live" : state === "away" ? "reconnecting" : "connecting"}
        </span>
      </div>
      <div className="columns">
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
        <section aria-labelledby="people">
          <h2 id="people">People</h2>
          <ul className="plain stack">
            {team.members.nodes.map(({ role, user }) => (
              <li key={user.id} className="row">
                <span className="grow">{called(user)}</span>
                <span className="tag">{role.toLowerCase()}</span>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

function called(person: Person | null | undefined): string {
  return person?.username ?? person?.email ?? "somebody";
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
    case "MemberJoined":
      return <><strong>{called(event.member)}</strong> joined</>;
    case "MemberLeft":
      return <><strong>{called(event.member)}</strong> left</>;
    default:
      return <>{who}: {event.__typename.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}</>;
  }
}
