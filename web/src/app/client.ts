// One client a credential: queries and mutations over HTTP, subscriptions over one socket that
// reconnects by itself. Feeds keep their cursor and resume behind it (see feed.ts).
import { Client, fetchExchange, mapExchange, subscriptionExchange } from "@urql/core";
import { type Cache, cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { type Client as SocketClient, createClient } from "graphql-ws";

import { authorization } from "../credential";

export interface Connected {
  client: Client;
  socket: SocketClient;
  isOpen: () => boolean;
  dispose: () => void;
}

const ENTITIES = new Set(["ApiKey", "CommunityPattern", "KnowledgeEntry", "Session", "SharedSession", "Team", "User"]);
const IMMEDIATELY_AGAIN = 1008; // the first retries of a dropped socket come fast

export function connect(credential: string, onUnauthenticated: () => void): Connected {
  const http = new URL("/graphql", window.location.href);
  const address = new URL(http);
  address.protocol = http.protocol === "https:" ? "wss:" : "ws:";
  let open = false;
  const socket = createClient({
    url: address.href,
    lazy: true,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (tries) => wait(Math.min(IMMEDIATELY_AGAIN * 1.6 ** tries, 15_000) * Math.random()),
    connectionParams: authorization(credential),
    on: {
      connected: () => {
        open = true;
      },
      closed: (event) => {
        open = false;
        if ((event as CloseEvent).code === 4401) onUnauthenticated();
      },
    },
  });
  const client = new Client({
    url: http.href,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: authorization(credential) }),
    exchanges: [
      mapExchange({
        onError: ({ response }) => {
          if ((response as Response | undefined)?.status === 401) onUnauthenticated();
        },
      }),
      cacheExchange({
        keys: new Proxy(
          {},
          {
            has: () => true,
            get: (_keys, type) => (data: { id?: unknown }) =>
              ENTITIES.has(String(type)) && typeof data.id === "string" ? data.id : null,
            // The cache asks which types have keys: each, as far as it is concerned.
            getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
          },
        ),
        updates: {
          Mutation: {
            pinKnowledge: (_result, _args, cache) => forget(cache, "knowledge"),
            unpinKnowledge: (_result, _args, cache) => forget(cache, "knowledge"),
            starKnowledge: (_result, _args, cache) => forgetNarrowed(cache, "starred"),
            unstarKnowledge: (_result, _args, cache) => forgetNarrowed(cache, "starred"),
            tagKnowledge: (_result, _args, cache) => {
              forget(cache, "knowledgeFacets");
              forgetNarrowed(cache, "tags");
            },
            createKnowledge: (_result, _args, cache) => forget(cache, "knowledge", "searchKnowledge", "knowledgeFacets"),
            restoreKnowledge: (_result, _args, cache) => forget(cache, "knowledge", "searchKnowledge", "knowledgeFacets"),
            deleteKnowledge: (_result, _args, cache) => forget(cache, "knowledge", "searchKnowledge", "knowledgeFacets"),
            moveKnowledge: (_result, _args, cache) => forget(cache, "knowledge", "searchKnowledge", "knowledgeFacets"),
            createTeam: (_result, _args, cache) => forget(cache, "teams"),
            deleteTeam: (_result, _args, cache) => forget(cache, "teams"),
            leaveTeam: (_result, _args, cache) => forget(cache, "teams"),
            acceptInvitation: (_result, _args, cache) => forget(cache, "teams"),
            withdrawContributions: (_result, _args, cache) => forget(cache, "viewer"),
          },
        },
        resolvers: {
          Query: { knowledge: relayPagination(), searchKnowledge: relayPagination(), sessions: relayPagination(), patterns: relayPagination(), searchConversations: relayPagination() },
          Viewer: { contributions: relayPagination(), audit: relayPagination() },
          Team: { knowledge: relayPagination(), members: relayPagination(), sharedSessions: relayPagination(), audit: relayPagination() },
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ ...operation, query: operation.query ?? "" }, sink as never),
          }),
        }),
      }),
    ],
  });
  return { client, socket, isOpen: () => open, dispose: () => void socket.dispose() };
}

// Lists that a change may have entered or left are asked for again.
function forget(cache: Cache, ...fields: string[]): void {
  for (const { fieldName, fieldKey } of cache.inspectFields("Query"))
    if (fields.includes(fieldName)) cache.invalidate("Query", fieldKey);
}

// As `forget`, for the lists of entries that were narrowed by what has changed.
function forgetNarrowed(cache: Cache, by: string): void {
  for (const { fieldName, fieldKey, arguments: given } of cache.inspectFields("Query")) {
    const filter = given?.["filter"] as Record<string, unknown> | null | undefined;
    if ((fieldName === "knowledge" || fieldName === "searchKnowledge") && filter?.[by] != null) cache.invalidate("Query", fieldKey);
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
