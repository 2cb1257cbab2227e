// One operation with the published clients, as a dashboard runs it.
//
//   node client.js ws|sse '{"url", "token", "query", "variables"}'
//
// prints one JSON line for each thing that happens: connected, next, error, complete, closed (a
// WebSocket's code and reason). It ends with the operation, or when its standard input does.
const graphqlWs = require("graphql-ws");
const graphqlSse = require("graphql-sse");
const WebSocket = require("ws");

const say = (kind, value = null) => console.log(JSON.stringify({ kind, value }));

function overWebSocket({ url, token }) {
  return graphqlWs.createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: token ? { authorization: `Bearer ${token}` } : {},
    retryAttempts: 0,
    on: {
      connected: () => say("connected"),
      closed: ({ code, reason }) => say("closed", { code, reason }),
    },
  });
}

function overEvents({ url, token }) {
  return graphqlSse.createClient({
    url,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    retryAttempts: 0,
    on: { connected: () => say("connected") },
  });
}

function shown(error) {
  if (Array.isArray(error)) return { errors: error };
  return { code: error.code, status: error.response?.status, message: error.message };
}

const [transport, given] = process.argv.slice(2);
const options = JSON.parse(given);
const client = (transport === "ws" ? overWebSocket : overEvents)(options);
const leave = async () => {
  await client.dispose();
  process.stdin.destroy();
};

client.subscribe(
  { query: options.query, variables: options.variables },
  {
    next: (result) => say("next", result),
    error: (error) => (say("error", shown(error)), leave()),
    complete: () => (say("complete"), leave()),
  },
);
process.stdin.on("end", leave).resume();
