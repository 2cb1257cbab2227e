// The part of the schema that is measured, and resolvers that any server of graphql-js can run.
import { cursorOf, ENTRY, globalId, SESSION, TEAM, USER, uuidOf } from "./data.js";

export const typeDefs = /* GraphQL */ `
  scalar DateTime
  scalar EpochMillis
  scalar Cursor
  enum Role { OWNER ADMIN MEMBER VIEWER }
  interface Node { id: ID! }
  type User implements Node { id: ID! email: String }
  type KnowledgeEntry implements Node {
    id: ID! type: String! timestamp: EpochMillis! summary: String! project: String details: String
    tags: [String!]! createdAt: DateTime! updatedAt: DateTime! author: User
  }
  type Session implements Node { id: ID! sessionId: String! name: String projectName: String updatedAt: DateTime! }
  type Member { role: Role! joinedAt: DateTime! user: User! }
  type PageInfo { hasNextPage: Boolean! endCursor: Cursor }
  type KnowledgeEntryConnection { nodes: [KnowledgeEntry!]! pageInfo: PageInfo! }
  type MemberConnection { nodes: [Member!]! pageInfo: PageInfo! }
  type SessionConnection { nodes: [Session!]! pageInfo: PageInfo! }
  type Team implements Node {
    id: ID! name: String! myRole: Role!
    members(first: Int! = 20): MemberConnection!
    knowledge(first: Int! = 20): KnowledgeEntryConnection!
  }
  type Viewer { id: ID! email: String sessions(first: Int! = 20): SessionConnection! }
  type Query { node(id: ID!): Node team(id: ID!): Team teams: [Team!]! viewer: Viewer! }
`;

export const subscriptionDefs = /* GraphQL */ `
  type Added { entry: KnowledgeEntry cursor: Cursor! at: DateTime! }
  type Subscription { teamFeed(teamId: ID!, after: Cursor): Added! }
`;

const microseconds = (iso) => Date.parse(`${iso.slice(0, 23)}Z`) * 1000 + Number(iso.slice(23, 26));

const page = (rows, first, number, order) => {
  const nodes = rows.length > first ? rows.slice(0, first) : rows;
  const last = nodes.at(-1);
  return {
    nodes,
    pageInfo: { hasNextPage: rows.length > first, endCursor: last ? cursorOf(number(last), last.id, order) : null },
  };
};

export const resolvers = {
  Query: {
    node: (_root, { id }, { reader }) => reader.entry(uuidOf(id)),
    team: (_root, { id }, { reader }) => reader.team(uuidOf(id)),
    teams: (_root, _args, { reader }) => reader.teams(),
    viewer: (_root, _args, { reader }) => reader.me(),
  },
  Node: { __resolveType: () => "KnowledgeEntry" },
  Team: {
    id: ({ id }) => globalId(TEAM, id),
    myRole: ({ role }) => role.toUpperCase(),
    members: async ({ id }, { first }, { reader }) =>
      page(await reader.members(id, first), first, (member) => microseconds(member.joined_at)),
    knowledge: async ({ id }, { first }, { reader }) =>
      page(await reader.knowledge(id, first), first, (entry) => entry.timestamp, "\x01"),
  },
  Member: { role: ({ role }) => role.toUpperCase(), joinedAt: (row) => row.joined_at, user: (row) => row },
  User: { id: ({ id }) => globalId(USER, id) },
  KnowledgeEntry: {
    id: ({ id }) => globalId(ENTRY, id),
    createdAt: (row) => row.created_at,
    updatedAt: (row) => row.updated_at,
    author: (row, _args, { reader }) => reader.people.load(row.author_id),
  },
  Viewer: {
    id: ({ id }) => globalId(USER, id),
    sessions: async (_me, { first }, { reader }) =>
      page(await reader.sessions(first), first, (session) => microseconds(session.updated_at)),
  },
  Session: {
    id: ({ id }) => globalId(SESSION, id),
    sessionId: (row) => row.session_id,
    projectName: (row) => row.project_name,
    updatedAt: (row) => row.updated_at,
  },
};
