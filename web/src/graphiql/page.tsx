import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { DOC_EXPLORER_PLUGIN } from "@graphiql/plugin-doc-explorer";
import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { useEffect, useMemo, useState } from "react";

import { authorization, storeCredential, storedCredential } from "../credential";
import { SignIn } from "./sign-in";

const EXPLORER = explorerPlugin({ showAttribution: false });

const WELCOME = `# Sign in above with an API key or a token.
# Ctrl-Space completes, Ctrl-Enter runs; the book
# on the left documents every field.

query Latest {
  viewer {
    id
    username
    email
  }
  knowledge(first: 5) {
    nodes {
      id
      type
      summary
      tags
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

function endpoint(): { http: string; socket: string } {
  const http = new URL("/graphql", window.location.href);
  const socket = new URL(http);
  socket.protocol = http.protocol === "https:" ? "wss:" : "ws:";
  return { http: http.href, socket: socket.href };
}

// A fetcher a credential: subscriptions go over a socket that is opened when the first one runs.
function fetcherFor(credential: string): { fetcher: Fetcher; close: () => void } {
  const { http, socket } = endpoint();
  const client = createClient({ url: socket, lazy: true, connectionParams: authorization(credential) });
  const fetcher = createGraphiQLFetcher({
    url: http,
    headers: authorization(credential),
    // The two packages describe the same client with types of their own.
    wsClient: client as never,
  });
  return { fetcher, close: () => void client.dispose() };
}

export function Page() {
  const [credential, setCredential] = useState(storedCredential);
  const { fetcher, close } = useMemo(() => fetcherFor(credential), [credential]);
  useEffect(() => close, [close]);

  const signIn = (given: string) => {
    storeCredential(given);
    setCredential(given);
  };
  return (
    <>
      <SignIn credential={credential} onChange={signIn} />
      <main className="editor">
        <GraphiQL
          key={credential}
          fetcher={fetcher}
          defaultQuery={WELCOME}
          plugins={[HISTORY_PLUGIN, EXPLORER]}
          referencePlugin={DOC_EXPLORER_PLUGIN}
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo>
            <a href="/" className="graphiql-logo-link">
              Teamlore
            </a>
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
