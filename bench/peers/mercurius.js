import Fastify from "fastify";
import mercurius from "mercurius";
import { accountOf, makePool, Reader } from "./data.js";
import { resolvers, typeDefs } from "./schema.js";

const pool = makePool();
const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { ...resolvers, Node: { resolveType: () => "KnowledgeEntry" } },
  jit: 1,
  context: (request) => ({ reader: new Reader(pool, accountOf(request.headers)) }),
});
console.log(`ready at ${await app.listen({ host: "127.0.0.1", port: 0 })}`);
