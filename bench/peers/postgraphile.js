// PostGraphile on the same tables. Its own part of the schema is switched off; what is measured is
// planned by hand with its steps, as its manual shows for rules that are not row-level security.
import { createServer } from "node:http";
import { context, connection as pages, lambda } from "postgraphile/grafast";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { sql } from "postgraphile/pg-sql2";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { extendSchema, gql } from "postgraphile/utils";
import { postgraphile } from "postgraphile";
import { accountOf, connection, ENTRY, globalId, POOL_SIZE, SESSION, TEAM, USER, uuidOf } from "./data.js";

const idOf = (tag, $uuid) => lambda($uuid, (uuid) => uuid && globalId(tag, uuid), true);
const upper = ($text) => lambda($text, (text) => text.toUpperCase(), true);

const Measured = extendSchema((build) => {
  const { knowledge, scopes, memberships, accounts, sessions } = build.pgResources;
  const account = () => context().get("account");
  const newest = ($rows, column) => {
    $rows.where(sql`${$rows}.deleted_at IS NULL`);
    $rows.orderBy({ attribute: column, direction: "DESC" });
    $rows.orderBy({ attribute: "id", direction: "DESC" });
    $rows.setOrderIsUnique();
    return $rows;
  };
  const paged = ($rows, $first) => {
    const $page = pages($rows);
    $page.setFirst($first);
    return $page;
  };
  const connected = { plans: { nodes: ($page) => $page.nodes(), pageInfo: ($page) => $page.pageInfo() } };
  return {
    typeDefs: gql`
      scalar Instant
      scalar EpochMillis
      enum TeamRole { OWNER ADMIN MEMBER VIEWER }
      type Person { id: ID! email: String }
      type KnowledgeEntry {
        id: ID! type: String! timestamp: EpochMillis! summary: String! project: String details: String
        tags: [String!]! createdAt: Instant! updatedAt: Instant! author: Person
      }
      type CodingSession { id: ID! sessionId: String! name: String projectName: String updatedAt: Instant! }
      type TeamMember { role: TeamRole! joinedAt: Instant! user: Person! }
      type EntryPage { nodes: [KnowledgeEntry!]! pageInfo: PageInfo! }
      type MemberPage { nodes: [TeamMember!]! pageInfo: PageInfo! }
      type SessionPage { nodes: [CodingSession!]! pageInfo: PageInfo! }
      type Team {
        id: ID! name: String! myRole: TeamRole!
        members(first: Int! = 20): MemberPage! knowledge(first: Int! = 20): EntryPage!
      }
      type Viewer { id: ID! email: String sessions(first: Int! = 20): SessionPage! }
      extend type Query { node(id: ID!): KnowledgeEntry team(id: ID!): Team teams: [Team!]! viewer: Viewer! }
    `,
    scalars: {
      Instant: { serialize: (text) => text },
      EpochMillis: { serialize: Number },
    },
    objects: {
      Query: {
        plans: {
          node(_$root, { $id }) {
            const $found = knowledge.find({ id: lambda($id, uuidOf, true) });
            $found.where(sql`${$found}.deleted_at IS NULL`);
            $found.where(sql`${$found}.scope_id IN (SELECT m.scope_id FROM memberships m
              WHERE m.account_id = ${$found.placeholder(account(), memberships.codec.attributes.account_id.codec)})`);
            return $found.single();
          },
          team: (_$root, { $id }) =>
            memberships.get({ scope_id: lambda($id, uuidOf, true), account_id: account() }),
          teams() {
            const $mine = memberships.find({ account_id: account() });
            const scope = sql`(SELECT s.created_at FROM scopes s WHERE s.id = ${$mine}.scope_id)`;
            $mine.where(sql`EXISTS (SELECT FROM scopes s WHERE s.id = ${$mine}.scope_id AND s.kind = 'team'
              AND s.deleted_at IS NULL)`);
            $mine.orderBy({ fragment: scope, codec: scopes.codec.attributes.created_at.codec, direction: "ASC" });
            return $mine;
          },
          viewer: () => accounts.get({ id: account() }),
        },
      },
      Team: {
        plans: {
          id: ($mine) => idOf(TEAM, $mine.get("scope_id")),
          name: ($mine) => scopes.get({ id: $mine.get("scope_id") }).get("name"),
          myRole: ($mine) => upper($mine.get("role")),
          members($mine, { $first }) {
            const $members = memberships.find({ scope_id: $mine.get("scope_id") });
            $members.orderBy({ attribute: "joined_at", direction: "ASC" });
            $members.orderBy({ attribute: "account_id", direction: "ASC" });
            $members.setOrderIsUnique();
            return paged($members, $first);
          },
          knowledge: ($mine, { $first }) =>
            paged(newest(knowledge.find({ scope_id: $mine.get("scope_id") }), "timestamp"), $first),
        },
      },
      EntryPage: connected,
      MemberPage: connected,
      SessionPage: connected,
      TeamMember: {
        plans: {
          role: ($member) => upper($member.get("role")),
          joinedAt: ($member) => $member.get("joined_at"),
          user: ($member) => accounts.get({ id: $member.get("account_id") }),
        },
      },
      Person: { plans: { id: ($person) => idOf(USER, $person.get("id")) } },
      KnowledgeEntry: {
        plans: {
          id: ($entry) => idOf(ENTRY, $entry.get("id")),
          createdAt: ($entry) => $entry.get("created_at"),
          updatedAt: ($entry) => $entry.get("updated_at"),
          author($entry) {
            const $author = accounts.find({ id: $entry.get("author_id") });
            const $me = $author.placeholder(account(), accounts.codec.attributes.id.codec);
            $author.where(sql`(${$author}.id = ${$me} OR EXISTS (
              SELECT FROM memberships mine JOIN memberships theirs ON theirs.scope_id = mine.scope_id
              WHERE mine.account_id = ${$me} AND theirs.account_id = ${$author}.id))`);
            return $author.single();
          },
        },
      },
      Viewer: {
        plans: {
          id: ($me) => idOf(USER, $me.get("id")),
          sessions: ($me, { $first }) =>
            paged(newest(sessions.find({ scope_id: $me.get("id") }), "updated_at"), $first),
        },
      },
      CodingSession: {
        plans: {
          id: ($session) => idOf(SESSION, $session.get("id")),
          sessionId: ($session) => $session.get("session_id"),
          projectName: ($session) => $session.get("project_name"),
          updatedAt: ($session) => $session.get("updated_at"),
        },
      },
    },
  };
});

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [Measured],
  disablePlugins: ["NodePlugin"],
  schema: { defaultBehavior: "-*" },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: {
    context: ({ node }) => ({ account: accountOf(node.req.headers) }),
  },
  pgServices: [makePgService({ poolConfig: { ...connection, max: POOL_SIZE }, schemas: ["public"] })],
};
const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
server.listen(0, "127.0.0.1", () => console.log(`ready at http://127.0.0.1:${server.address().port}`));
