import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { accountOf, makePool, Reader } from "./data.js";
import { resolvers, typeDefs } from "./schema.js";

const pool = makePool();
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ req }) => ({ reader: new Reader(pool, accountOf(req.headers)) }),
  logging: false,
  graphiql: false,
});
const server = createServer(yoga);
server.listen(0, "127.0.0.1", () => console.log(`ready at http://127.0.0.1:${server.address().port}`));
