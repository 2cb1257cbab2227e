// What both live peers share: who may subscribe, and an event as our feed shows it.
import { accountOf, ENTRY, globalId } from "./data.js";

export const feedDefs = /* GraphQL */ `
  scalar DateTime
  scalar Cursor
  interface FeedEvent { cursor: Cursor! at: DateTime! }
  type Entry { id: ID! type: String! summary: String! tags: [String!]! }
  type KnowledgeCreated implements FeedEvent { cursor: Cursor! at: DateTime! entry: Entry! }
  type Query { nothing: Boolean }
  type Subscription { teamFeed(teamId: ID!, after: Cursor): FeedEvent! }
`;

export const admit = (payload) => accountOf({ authorization: payload?.authorization });

let version = 0;
export const eventOf = (summary) => ({
  __typename: "KnowledgeCreated",
  cursor: `AQ${String(++version).padStart(33, "A")}`,
  at: new Date().toISOString(),
  entry: { id: globalId(ENTRY, crypto.randomUUID()), type: "fact", summary, tags: ["a"] },
});

// The event that says "you are subscribed", then everything that is published.
export async function* beginning(rest) {
  yield { teamFeed: eventOf("push 0!") };
  yield* rest;
}
