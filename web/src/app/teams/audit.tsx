// What was done with a team, for those who lead it.
import { useState } from "react";

import { graphql } from "../graph";
import { called } from "../people";
import { said } from "../problems";
import { useQuery } from "../query";
import { Ago, Button, Failure, Loading } from "../ui/kit";

const AUDIT = graphql(`
  query TeamAudit($id: ID!, $after: Cursor) {
    team(id: $id) {
      id
      audit(first: 10, after: $after) {
        nodes { id at kind actor { id username email } user { id username email } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export function TeamAudit({ id }: { id: string }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({ query: AUDIT, variables: { id, after }, requestPolicy: "cache-and-network" });
  const events = data?.team?.audit;
  return (
    <section className="card" aria-labelledby="audit">
      <h2 id="audit">What was done</h2>
      {error && !data && <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />}
      {!data && !error && <Loading what="the log of the team" />}
      <ol className="plain stack">
        {events?.nodes.map((event) => (
          <li key={event.id} className="row small">
            <span className="grow">
              {event.kind.toLowerCase().replaceAll("_", " ")}
              {event.user && event.user.id !== event.actor?.id && `: ${called(event.user)}`}
              {event.actor && <span className="quiet block">by {called(event.actor)}</span>}
            </span>
            <span className="quiet nowrap">
              <Ago at={event.at} />
            </span>
          </li>
        ))}
      </ol>
      {events?.pageInfo.hasNextPage && (
        <Button onPress={() => setAfter(events.pageInfo.endCursor)} isDisabled={fetching}>
          Show more
        </Button>
      )}
    </section>
  );
}
