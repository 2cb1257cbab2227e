// Following a feed through dropped connections: each reconnect goes on behind the last event.
import { useEffect, useRef, useState } from "react";

import { useAccount } from "./account";
import { useAsk } from "./ask";
import { graphql } from "./graph";

export interface FeedEvent {
  __typename?: string;
  cursor: string;
  at?: string;
}

const NOW = graphql("query Now($scopes: [ID!]) { feedCursor(scopes: $scopes) }");
const AGAIN_MS = 1000;

export type FeedState = "connecting" | "live" | "away";

interface Options<EventT extends FeedEvent> {
  query: string;
  field: string;
  variables: Record<string, unknown>;
  onEvent: (event: EventT) => void;
  /** Behind which event to begin; left out, the feed begins now. */
  after?: string | null;
  /** Whose log it is, where the feed begins now: ids of teams, left out for all that one sees. */
  scopes?: string[];
  /** The feed has its beginning: what was read before it is to be read anew. */
  onBegun?: () => void;
  paused?: boolean;
}

export function useFeed<EventT extends FeedEvent>(options: Options<EventT>): FeedState {
  const { query, field, variables, onEvent, onBegun, paused } = options;
  const { socket, isOpen } = useAccount().connected;
  const ask = useAsk();
  const [state, setState] = useState<FeedState>("connecting");
  const handle = useRef({ onEvent, onBegun, start: options.after ?? null });
  handle.current = { onEvent, onBegun, start: options.after ?? null };
  const given = JSON.stringify(variables);
  const scopes = JSON.stringify(options.scopes ?? null);

  useEffect(() => {
    if (paused) return undefined;
    let after: string | null = handle.current.start;
    let ended = false;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let stop = () => {};
    const follow = () => {
      stop = socket.subscribe<Record<string, EventT>>(
        {
          query,
          // Read again at each reconnect, so that the feed goes on where it stopped.
          variables: {
            ...JSON.parse(given),
            get after() {
              return after;
            },
          },
        },
        {
          next: ({ data }) => {
            const event = data?.[field];
            if (!event) return;
            after = event.cursor;
            handle.current.onEvent(event);
          },
          error: (reason) => again(isRefusal(reason)),
          complete: () => again(),
        },
      );
    };
    const again = (refused = false) => {
      if (ended) return;
      setState("away");
      if (refused) after = null; // the log is no longer kept so far back
      retry = setTimeout(refused ? begin : follow, AGAIN_MS);
    };
    // The protocol does not say when a feed has begun: behind the cursor of now, it does not matter.
    const begin = () => {
      if (scopes === "[]") {
        handle.current.onBegun?.();
        return follow();
      }
      ask(NOW, { scopes: JSON.parse(scopes) as string[] | null }).then(
        ({ feedCursor }) => {
          if (ended) return;
          after = feedCursor;
          handle.current.onBegun?.();
          follow();
        },
        () => {
          if (!ended) retry = setTimeout(begin, AGAIN_MS);
        },
      );
    };
    const connected = () => setState("live");
    const closed = () => {
      if (ended) return;
      setState("away");
    };
    const offs = [socket.on("connected", connected), socket.on("closed", closed)];
    if (isOpen()) connected();
    if (after === null) begin();
    else follow();
    return () => {
      ended = true;
      clearTimeout(retry);
      stop();
      for (const off of offs) off();
    };
  }, [socket, isOpen, ask, query, field, given, scopes, paused]);
  return state;
}

function isRefusal(reason: unknown): boolean {
  return Array.isArray(reason) && reason.some((error: { extensions?: { code?: string } }) => error.extensions?.code === "BAD_USER_INPUT");
}
