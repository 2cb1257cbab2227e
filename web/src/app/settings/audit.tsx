// What was done with the account: who signed in from where, which keys came and went.
import { useState } from "react";

import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Ago, Button, Failure, Loading } from "../ui/kit";

const AUDIT = graphql(`
  query MyAudit($after: Cursor) {
    viewer {
      id
      audit(first: 20, after: $after) {
        nodes { id at kind address userAgent }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export function Audit() {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({ query: AUDIT, variables: { after }, requestPolicy: "cache-and-network" });
  const events = data?.viewer.audit;
  return (
    <section className="card spaced" aria-labelledby="audit">
      <h2 id="audit">What was done</h2>
      {error && !data && <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />}
      {!data && !error && <Loading what="the log" />}
      <ol className="plain">
        {events?.nodes.map((event) => (
          <li key={event.id} className="row small">
            <span className="grow">{event.kind.toLowerCase().replaceAll("_", " ")}</span>
            <span className="quiet cut" title={event.userAgent ?? undefined}>
              {event.address}
            </span>
            <span className="quiet">
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
