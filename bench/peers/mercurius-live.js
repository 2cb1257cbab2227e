import Fastify from "fastify";
import mercurius from "mercurius";
import { admit, beginning, eventOf, feedDefs } from "./live.js";

const app = Fastify();
app.register(mercurius, {
  schema: feedDefs,
  resolvers: {
    FeedEvent: { resolveType: (event) => event.__typename },
    Subscription: {
      teamFeed: {
        subscribe: async (_root, _args, { pubsub }) => beginning(await pubsub.subscribe("feed")),
      },
    },
  },
  subscription: { onConnect: ({ payload }) => ({ account: admit(payload) }) },
});
app.post("/publish", async (request) => {
  app.graphql.pubsub.publish({ topic: "feed", payload: { teamFeed: eventOf(request.body.summary) } });
  return {};
});
console.log(`ready at ${await app.listen({ host: "127.0.0.1", port: 0 })}`);
