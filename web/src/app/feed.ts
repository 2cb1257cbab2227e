// Following a feed through dropped connections: each reconnect goes on behind the last event.
import { useEffect, useRef, useState } from "react";

import { useAccount } from "./account";

export interface FeedEvent {
  __typename: string;
  cursor: string;
  at: string;
}

export type FeedState = "connecting" | "live" | "away";

interface Options<EventT extends FeedEvent> {
  query: string;
  field: string;
  variables: Record<string, unknown>;
  onEvent: (event: EventT) => void;
}

export function useFeed<EventT extends FeedEvent>({ query, field, variables, onEvent }: Options<EventT>): FeedState {
  const { socket } = useAccount().connected;
  const [state, setState] = useState<FeedState>("connecting");
  const handle = useRef(onEvent);
  handle.current = onEvent;
  const given = JSON.stringify(variables);

  useEffect(() => {
    let after: string | null = null;
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
            handle.current(event);
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
    const offs = [
      socket.on("connected", () => setState("live")),
      socket.on("closed", () => !ended && setState("away")),
    ];
    follow();
    return () => {
      ended = true;
      clearTimeout(retry);
      stop();
      for (const off of offs) off();
    };
  }, [socket, query, field, given]);
  return state;
}
