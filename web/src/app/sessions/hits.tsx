// What was said somewhere in one's conversations, as it was searched for.
import { useState } from "react";
import { Link } from "wouter";

import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Fragments } from "../ui/fragments";
import { Ago, Button, Empty, Failure, Loading } from "../ui/kit";
import { type Asked, filterOf } from "./filters";

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

export function Hits({ words, asked }: { words: string; asked: Asked }) {
  const [after, setAfter] = useState<string | null>(null);
  const { project, since, until } = filterOf(asked);
  const [{ data, error, fetching }, again] = useQuery({
    query: SEARCH,
    variables: { query: words, filter: { project, since, until }, after },
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
                <span className="grow nowrap">
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
