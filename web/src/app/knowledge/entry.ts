// What the pages ask of an entry.
import { type ResultOf, graphql } from "../graph";

export const ENTRY = graphql(`
  fragment Entry on KnowledgeEntry {
    id type summary details project tags timestamp sessionId pinnedAt starred
    session { id }
    author { id username email }
    team { id name myRole }
  }
`);

export type Entry = ResultOf<typeof ENTRY>;
