// What the pages ask of an entry.
import { graphql } from "../graph";

export const ENTRY = graphql(`
  fragment Entry on KnowledgeEntry {
    id type summary details project tags timestamp sessionId pinnedAt starred
    author { id username email }
    team { id name myRole }
  }
`);
