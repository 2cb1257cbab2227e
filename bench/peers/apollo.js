import { ApolloServer } from "@apollo/server";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import Fastify from "fastify";
import { accountOf, makePool, Reader } from "./data.js";
import { resolvers, typeDefs } from "./schema.js";

const pool = makePool();
const server = new ApolloServer({ typeDefs, resolvers });
await server.start();
const app = Fastify();
app.post(
  "/graphql",
  fastifyApolloHandler(server, {
    context: async (request) => ({ reader: new Reader(pool, accountOf(request.headers)) }),
  }),
);
console.log(`ready at ${await app.listen({ host: "127.0.0.1", port: 0 })}`);
