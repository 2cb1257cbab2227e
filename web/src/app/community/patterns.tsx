// Patterns that enough people share, as far as they were asked for.
import { useState } from "react";

import { type FragmentOf, graphql, readFragment } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Button, Empty, Failure, Loading } from "../ui/kit";
import { shared } from "./shared";

const PATTERN = graphql(`
  fragment Pattern on CommunityPattern {
    id type category approach platform tags effectiveness sharedBy numbersFrom lastSeen
  }
`);

const PATTERNS = graphql(
  `
    query Patterns($filter: PatternFilter, $orderBy: PatternOrder, $after: Cursor) {
      patterns(filter: $filter, orderBy: $orderBy, first: 30, after: $after) {
        nodes { ...Pattern }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [PATTERN],
);

export const TYPES = ["SOLUTION", "ERROR_FIX", "DECISION", "PATTERN"] as const;
export type PatternType = (typeof TYPES)[number];

export function Patterns({ words, type, category, fresh }: { words: string; type: PatternType | null; category: string; fresh: boolean }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({
    query: PATTERNS,
    variables: { filter: { query: words || null, type, category: category || null }, orderBy: words ? "RELEVANCE" : "REACH", after },
    requestPolicy: fresh && after === null ? "cache-and-network" : "cache-first",
  });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="patterns" />;
  const { nodes, pageInfo } = data.patterns;
  if (nodes.length === 0)
    return words || type || category ? (
      <Empty title="No pattern is like that">Try fewer words, or another kind.</Empty>
    ) : (
      <Empty title="Nothing is shared yet">Patterns appear here once three people have met the same one.</Empty>
    );
  return (
    <>
      <ul className="plain stack">
        {nodes.map((given) => (
          <PatternCard key={readFragment(PATTERN, given).id} given={given} />
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

function PatternCard({ given }: { given: FragmentOf<typeof PATTERN> }) {
  const pattern = readFragment(PATTERN, given);
  return (
    <li className="card">
      <div className="row small quiet">
        <span className="tag">{pattern.type.toLowerCase().replace("_", " ")}</span>
        <span className="grow">{pattern.category}</span>
        <span>{shared(pattern)}</span>
      </div>
      <p className="summary">{pattern.approach}</p>
      <div className="row small">
        {pattern.platform && <span className="tag">{pattern.platform}</span>}
        {pattern.tags.map((tag) => (
          <span key={tag} className="tag">
            {tag}
          </span>
        ))}
        {pattern.effectiveness !== null && <span className="quiet">works {Math.round(pattern.effectiveness * 10)} times of 10</span>}
      </div>
    </li>
  );
}
