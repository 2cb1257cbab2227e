// Following a feed through dropped connections: each reconnect goes on behind the last event.
import { useEffect, useRef, useState } from "react";

import { useAccount } from "./account";

export interface FeedEvent {
  __typename?: string;
  cursor: string;
  at?: string;
}

const BEGUN_MS = 500;

export type FeedState = "connecting" | "live" | "away";

interface Options<EventT extends FeedEvent> {
  query: string;
  field: string;
  variables: Record<string, unknown>;
  onEvent: (event: EventT) => void;
  /** Behind which event to begin; left out, the feed begins now. */
  after?: string | null;
  /** The feed began without a place to resume from: what happened before it is to be read anew. */
  onGap?: () => void;
  paused?: boolean;
}

export function useFeed<EventT extends FeedEvent>(options: Options<EventT>): FeedState {
  const { query, field, variables, onEvent, onGap, paused } = options;
  const { socket, isOpen } = useAccount().connected;
  const [state, setState] = useState<FeedState>("connecting");
  const handle = useRef({ onEvent, onGap, start: options.after ?? null });
  handle.current = { onEvent, onGap, start: options.after ?? null };
  const given = JSON.stringify(variables);

  useEffect(() => {
    if (paused) return undefined;
    let after: string | null = handle.current.start;
    let ended = false;
    let begun: ReturnType<typeof setTimeout> | undefined;
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
          error: () => again(),
          complete: () => again(),
        },
      );
    };
    const again = () => {
      if (ended) return;
      setState("away");
      retry = setTimeout(follow, 1000);
    };
    const connected = () => {
      setState("live");
      // The protocol does not say when a feed has begun, only that it soon has.
      clearTimeout(begun);
      begun = setTimeout(() => after === null && handle.current.onGap?.(), BEGUN_MS);
    };
    const closed = () => {
      if (ended) return;
      setState("away");
    };
    const offs = [socket.on("connected", connected), socket.on("closed", closed)];
    if (isOpen()) connected();
    follow();
    return () => {
      ended = true;
      clearTimeout(retry);
      clearTimeout(begun);
      stop();
      for (const off of offs) off();
    };
  }, [socket, isOpen, query, field, given, paused]);
  return state;
}
