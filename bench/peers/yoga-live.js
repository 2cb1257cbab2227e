import { createServer } from "node:http";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { admit, beginning, eventOf, feedDefs } from "./live.js";

const pubsub = createPubSub();
const schema = createSchema({
  typeDefs: feedDefs,
  resolvers: { Subscription: { teamFeed: { subscribe: () => beginning(pubsub.subscribe("feed")) } } },
});
const yoga = createYoga({ schema, logging: false, graphiql: false });
const server = createServer(async (request, response) => {
  if (request.url !== "/publish") return yoga(request, response);
  let body = "";
  for await (const chunk of request) body += chunk;
  pubsub.publish("feed", { teamFeed: eventOf(JSON.parse(body).summary) });
  response.end("{}");
});
const sockets = new WebSocketServer({ server, path: "/graphql" });
useServer({ schema, onConnect: ({ connectionParams }) => Boolean(admit(connectionParams)) }, sockets);
server.listen(0, "127.0.0.1", () => console.log(`ready at http://127.0.0.1:${server.address().port}`));
