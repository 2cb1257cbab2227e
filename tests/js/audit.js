// The GraphQL-over-HTTP audits of graphql-http against the URL given: one JSON line an audit.
const { serverAudits } = require("graphql-http");

async function main(url) {
  for (const audit of serverAudits({ url, fetchFn: fetch })) {
    const { id, name, status, reason } = await audit.fn();
    console.log(JSON.stringify({ id, name, status, reason }));
  }
}

main(process.argv[2]);
