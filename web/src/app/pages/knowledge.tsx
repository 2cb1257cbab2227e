// Search as you type, or the newest first, narrowed by what there is; an entry has an address too.
import { useDeferredValue, useEffect, useState } from "react";
import { useClient } from "urql";
import { Link, useSearchParams } from "wouter";

import { graphql } from "../graph";
import { ENTRY } from "../knowledge/entry";
import { EntryCard } from "../knowledge/entry-card";
import { Facets, type Narrowed, filterOf } from "../knowledge/facets";
import { Following, type News, useNews } from "../knowledge/following";
import { NewEntry } from "../knowledge/new-entry";
import { said } from "../problems";
import { useQuery } from "../query";
import { Button, Dialog, Empty, Failure, Live, Loading } from "../ui/kit";

const LATEST = graphql(
  `
    query Latest($after: Cursor, $teamId: ID, $filter: KnowledgeFilter) {
      viewer { id }
      knowledge(first: 30, after: $after, teamId: $teamId, filter: $filter) {
        nodes { id ...Entry }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [ENTRY],
);

const SEARCH = graphql(
  `
    query Search($query: String!, $after: Cursor, $teamId: ID, $filter: KnowledgeFilter) {
      viewer { id }
      searchKnowledge(query: $query, first: 30, after: $after, teamId: $teamId, filter: $filter) {
        edges {
          node { id ...Entry }
          matchKind
          summaryFragments { text hit }
          detailsFragments { text hit }
        }
        totalCount
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [ENTRY],
);

const ONE = graphql(
  `
    query OneEntry($id: ID!) {
      viewer { id }
      node(id: $id) { __typename id ...Entry }
    }
  `,
  [ENTRY],
);

export default function KnowledgePage() {
  const [params, setParams] = useSearchParams();
  const get = (name: string) => params.get(name) ?? "";
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
  const words = useDeferredValue(get("q").trim());
  const narrowed: Narrowed = { type: get("type"), project: get("project"), tag: get("tag"), author: get("author"), team: get("team"), only: get("only") };
  const [adding, setAdding] = useState(false);
  const news = useNews();
  const key = `${words} ${JSON.stringify(narrowed)}`;
  return (
    <>
      <title>Knowledge · Teamlore</title>
      <div className="row">
        <h1 className="grow">Knowledge</h1>
        <Live state={news.state} />
        <Button kind="main" onPress={() => setAdding(true)}>
          Add an entry
        </Button>
      </div>
      <div className="search spaced" role="search">
        <input
          type="search"
          aria-label="Search"
          placeholder="Search what you and your teams learned"
          value={get("q")}
          onChange={(e) => set("q", e.target.value)}
        />
      </div>
      <Following news={news} />
      <Facets narrowed={narrowed} set={set} news={news.times} />
      {words ? <Found key={key} words={words} narrowed={narrowed} news={news} /> : <Newest key={key} narrowed={narrowed} news={news} />}
      <Dialog title="A new entry" open={adding} onClose={() => setAdding(false)}>
        <NewEntry team={narrowed.team} onDone={() => setAdding(false)} />
      </Dialog>
    </>
  );
}

function Newest({ narrowed, news }: { narrowed: Narrowed; news: News }) {
  const [after, setAfter] = useState<string | null>(null);
  const asked = { teamId: narrowed.team || null, filter: filterOf(narrowed) };
  const [{ data, error, fetching }, again] = useQuery({ query: LATEST, variables: { ...asked, after } });
  const client = useClient();
  useEffect(() => {
    if (news.times) void client.query(LATEST, { ...asked, after: null }, { requestPolicy: "network-only" }).toPromise();
    // Only news asks again; another question is asked by itself.
  }, [news.times]);
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="entries" />;
  const { pageInfo } = data.knowledge;
  const nodes = data.knowledge.nodes.filter(({ id }) => !news.gone.has(id));
  if (nodes.length === 0)
    return Object.values(narrowed).some(Boolean) ? (
      <Empty title="No entry is like that">Take a filter away.</Empty>
    ) : (
      <Empty title="Nothing yet">What your Claude learns appears here once its client syncs.</Empty>
    );
  return (
    <>
      <ul className="plain stack">
        {nodes.map((entry) => (
          <EntryCard key={entry.id} given={entry} me={data.viewer.id} />
        ))}
      </ul>
      {pageInfo.hasNextPage && <More busy={fetching} onPress={() => setAfter(pageInfo.endCursor)} />}
    </>
  );
}

function Found({ words, narrowed, news }: { words: string; narrowed: Narrowed; news: News }) {
  const [after, setAfter] = useState<string | null>(null);
  const asked = { query: words, teamId: narrowed.team || null, filter: filterOf(narrowed) };
  const [{ data, error, fetching }, again] = useQuery({ query: SEARCH, variables: { ...asked, after } });
  const client = useClient();
  useEffect(() => {
    if (news.times) void client.query(SEARCH, { ...asked, after: null }, { requestPolicy: "network-only" }).toPromise();
  }, [news.times]);
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="what matches" />;
  const { totalCount, pageInfo } = data.searchKnowledge;
  const edges = data.searchKnowledge.edges.filter(({ node }) => !news.gone.has(node.id));
  if (edges.length === 0) return <Empty title="Nothing matches">Try fewer words, or another one.</Empty>;
  return (
    <>
      <p className="quiet small" role="status">
        {totalCount === 1 ? "1 entry" : `${totalCount} entries`}
      </p>
      <ul className="plain stack">
        {edges.map(({ node, matchKind, summaryFragments, detailsFragments }) => (
          <EntryCard
            key={node.id}
            given={node}
            me={data.viewer.id}
            summary={summaryFragments}
            details={detailsFragments}
            similar={matchKind === "SIMILAR"}
          />
        ))}
      </ul>
      {pageInfo.hasNextPage && <More busy={fetching} onPress={() => setAfter(pageInfo.endCursor)} />}
    </>
  );
}

function More({ busy, onPress }: { busy: boolean; onPress: () => void }) {
  return (
    <div className="row spaced">
      <Button onPress={onPress} isDisabled={busy}>
        {busy ? "Loading…" : "Show more"}
      </Button>
    </div>
  );
}

export function EntryPage({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: ONE, variables: { id } });
  const news = useNews();
  useEffect(() => {
    if (news.times) again({ requestPolicy: "network-only" });
  }, [news.times, again]);
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="the entry" />;
  return (
    <>
      <title>An entry · Teamlore</title>
      <p>
        <Link to="/knowledge">All knowledge</Link>
      </p>
      <div className="row">
        <h1 className="grow">An entry</h1>
        <Live state={news.state} />
      </div>
      <Following news={news} />
      {data.node?.__typename === "KnowledgeEntry" ? (
        <ul className="plain">
          <EntryCard given={data.node} me={data.viewer.id} />
        </ul>
      ) : (
        <Empty title="There is no such entry">It was deleted, or you are no longer in its team.</Empty>
      )}
    </>
  );
}
