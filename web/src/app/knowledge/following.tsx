// What is learned, changed and deleted in one's own space and one's teams, by whomever and wherever.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type FeedEvent, type FeedState, useFeed } from "../feed";
import { graphql } from "../graph";
import { useQuery } from "../query";

const TEAMS = graphql(`
  query FollowedTeams { teams { id } }
`);

const MINE = `
  subscription MyKnowledge($after: Cursor) {
    myFeed(after: $after) { __typename cursor ... on KnowledgeEvent { entryId } }
  }
`;

const OF_TEAM = `
  subscription TeamKnowledge($id: ID!, $after: Cursor) {
    teamFeed(teamId: $id, after: $after) { __typename cursor ... on KnowledgeEvent { entryId } }
  }
`;

const TEAMS_FOLLOWED = 90; // the server takes 100 operations a socket
const BURST_MS = 100; // a push of many entries is read anew once
const MOVING_MS = 5_000; // two feeds tell of a move, in any order: gone here, new there

interface KnowledgeEvent extends FeedEvent {
  entryId?: string;
}

export interface News {
  /** How often there was something to read anew. */
  times: number;
  /** Entries that were deleted while one looked. */
  gone: ReadonlySet<string>;
  state: FeedState;
  tell: (event: KnowledgeEvent | null) => void;
  setState: (state: FeedState) => void;
}

export function useNews(): News {
  const [times, setTimes] = useState(0);
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const [state, setState] = useState<FeedState>("connecting");
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined);
  const seen = useRef(new Map<string, number>());
  useEffect(() => () => clearTimeout(soon.current), []);
  const tell = useCallback((event: KnowledgeEvent | null) => {
    const id = event?.entryId;
    if (event && !id) return;
    const left = event?.__typename === "KnowledgeDeleted";
    if (id && !left) seen.current.set(id, Date.now());
    const moved = id && left && Date.now() - (seen.current.get(id) ?? 0) < MOVING_MS;
    if (id && !moved)
      setGone((before) => {
        if (before.has(id) === left) return before;
        const now = new Set(before);
        if (!now.delete(id)) now.add(id);
        return now;
      });
    clearTimeout(soon.current);
    soon.current = setTimeout(() => setTimes((before) => before + 1), BURST_MS);
  }, []);
  return useMemo(() => ({ times, gone, state, tell, setState }), [times, gone, state, tell]);
}

export function Following({ news }: { news: News }) {
  const [{ data }] = useQuery({ query: TEAMS });
  const state = useFeed<KnowledgeEvent>({ query: MINE, field: "myFeed", variables: {}, onEvent: news.tell, onBegun: () => news.tell(null) });
  const { setState } = news;
  useEffect(() => setState(state), [state, setState]);
  return data?.teams.slice(0, TEAMS_FOLLOWED).map(({ id }) => <OfTeam key={id} id={id} news={news} />);
}

function OfTeam({ id, news }: { id: string; news: News }) {
  useFeed<KnowledgeEvent>({ query: OF_TEAM, field: "teamFeed", variables: { id }, scopes: [id], onEvent: news.tell, onBegun: () => news.tell(null) });
  return null;
}
