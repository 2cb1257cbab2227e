// A conversation by its lines, of which only the pieces near what is looked at are held.
import { useCallback, useEffect, useReducer, useRef, useState } from "react";

import { type Ask, useAsk } from "../ask";
import { type FeedEvent, type FeedState, useFeed } from "../feed";
import { type ResultOf, graphql } from "../graph";

const MESSAGE_FIELDS = graphql(`
  fragment Record on Message @_unmask {
    line kind subtype role uuid isSidechain agentId timestamp model text thinking
    toolCalls { id name input }
    toolResults { callId isError text }
  }
`);

const AROUND = graphql(
  `
    query Around($id: ID!, $file: String!, $line: Int!, $first: Int!) {
      session(id: $id) { id messages(file: $file, aroundLine: $line, first: $first) { nodes { ...Record } } }
    }
  `,
  [MESSAGE_FIELDS],
);

const END = graphql(`
  query End($id: ID!, $file: String!) {
    session(id: $id) { id messages(file: $file, last: 1) { edges { cursor node { line } } } }
  }
`);

const RAW = graphql(`
  query Raw($id: ID!, $file: String!, $line: Int!) {
    session(id: $id) { id messages(file: $file, aroundLine: $line, first: 1) { nodes { line raw } } }
  }
`);

const FEED = `
  subscription SessionFeed($id: ID!, $after: Cursor) {
    sessionFeed(sessionId: $id, after: $after) {
      cursor
      message {
        line kind subtype role uuid isSidechain agentId timestamp model text thinking
        toolCalls { id name input }
        toolResults { callId isError text }
      }
    }
  }
`;

export type Message = NonNullable<ResultOf<typeof AROUND>["session"]>["messages"]["nodes"][number];

interface SessionEvent extends FeedEvent {
  message: Message | null;
}

const PIECE = 50;
const HELD_PIECES = 200;
const AT_ONCE = 3;
const AGAIN_MS = 2000;

/** Which pieces of a conversation were read, and which are wanted next. */
class Pieces {
  readonly lines = new Map<number, Message>();
  readonly read = new Set<number>();
  private readonly asked = new Set<number>();
  private wanted: number[] = [];
  private here: [number, number] = [1, 1];

  constructor(
    private readonly fetch: (piece: number) => Promise<readonly Message[]>,
    private readonly changed: (problem: string | null) => void,
  ) {}

  /** Reads what these lines need, nearest to what is looked at first, and drops what is far away. */
  want(from: number, to: number): void {
    this.here = [from, to];
    const first = Math.max(0, pieceOf(from) - 1);
    const last = pieceOf(to) + 1;
    this.wanted = [];
    for (let piece = pieceOf(from); piece <= last; piece++) this.wanted.push(piece);
    if (first < pieceOf(from)) this.wanted.push(first);
    this.wanted = this.wanted.filter((piece) => !this.read.has(piece));
    if (this.read.size > HELD_PIECES) this.drop(first, last);
    this.next();
  }

  add(message: Message): void {
    this.lines.set(message.line, message);
  }

  private drop(first: number, last: number): void {
    for (const piece of this.read) {
      if (piece >= first - HELD_PIECES / 4 && piece <= last + HELD_PIECES / 4) continue;
      this.read.delete(piece);
      for (let line = piece * PIECE + 1; line <= (piece + 1) * PIECE; line++) this.lines.delete(line);
    }
  }

  private next(): void {
    while (this.asked.size < AT_ONCE) {
      const piece = this.wanted.find((each) => !this.asked.has(each));
      if (piece === undefined) return;
      this.wanted = this.wanted.filter((each) => each !== piece);
      this.asked.add(piece);
      this.fetch(piece)
        .then((messages) => {
          for (const message of messages) this.lines.set(message.line, message);
          this.read.add(piece);
          this.changed(null);
        })
        .catch((error: Error) => {
          this.changed(error.message);
          setTimeout(() => this.want(...this.here), AGAIN_MS); // if it is still looked at
        })
        .finally(() => {
          this.asked.delete(piece);
          this.next();
        });
    }
  }
}

function pieceOf(line: number): number {
  return Math.floor((line - 1) / PIECE);
}

async function around(ask: Ask, id: string, file: string, line: number, first: number) {
  return (await ask(AROUND, { id, file, line, first })).session?.messages.nodes ?? [];
}

export interface Records {
  /** How many lines there are; null until that is known. */
  total: number | null;
  at: (line: number) => Message | undefined;
  /** Whether the line was read and holds no record. */
  blank: (line: number) => boolean;
  want: (from: number, to: number) => void;
  raw: (line: number) => Promise<string>;
  failed: string | null;
  again: () => void;
  state: FeedState;
}

export function useRecords(id: string, file: string): Records {
  const ask = useAsk();
  const [, changed] = useReducer((count: number) => count + 1, 0);
  const [end, setEnd] = useState<{ total: number; cursor: string | null } | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [attempt, again] = useReducer((count: number) => count + 1, 0);
  const pieces = useRef<Pieces>(null);

  useEffect(() => {
    let left = false;
    const mine = new Pieces(
      (piece) => around(ask, id, file, piece * PIECE + PIECE / 2 + 1, PIECE),
      (problem) => {
        if (left) return;
        setFailed(problem);
        changed();
      },
    );
    pieces.current = mine;
    setFailed(null);
    ask(END, { id, file })
      .then(({ session }) => {
        const edge = session?.messages.edges[0];
        if (!left) setEnd({ total: edge?.node.line ?? 0, cursor: edge?.cursor ?? null });
      })
      .catch((error: Error) => !left && setFailed(error.message));
    return () => {
      left = true;
    };
  }, [ask, id, file, attempt]);

  const state = useFeed<SessionEvent>({
    query: FEED,
    field: "sessionFeed",
    variables: { id },
    after: end?.cursor ?? null,
    paused: file !== "" || end === null,
    scopes: [], // its cursors are places in the conversation
    onEvent: ({ cursor, message }) => {
      if (!message) return again(); // another version took its place
      pieces.current?.add(message);
      setEnd((before) => ({ total: Math.max(before?.total ?? 0, message.line), cursor }));
    },
  });

  return {
    total: end?.total ?? null,
    at: useCallback((line) => pieces.current?.lines.get(line), []),
    blank: useCallback((line) => pieces.current?.read.has(pieceOf(line)) ?? false, []),
    want: useCallback((from, to) => pieces.current?.want(from, to), []),
    raw: useCallback(
      async (line) => {
        const { session } = await ask(RAW, { id, file, line });
        return session?.messages.nodes.find((node) => node.line === line)?.raw ?? "It is no longer there.";
      },
      [ask, id, file],
    ),
    failed,
    again,
    state,
  };
}
