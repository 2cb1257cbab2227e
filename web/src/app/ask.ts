// A question whose answer the page keeps by itself: windows of long lists, which would only fill the
// shared cache.
import { type TypedDocumentNode, stringifyDocument } from "@urql/core";
import { useCallback } from "react";

import { authorization } from "../credential";
import { useAccount } from "./account";

export type Ask = <Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) => Promise<Data>;

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string }[];
}

export function useAsk(): Ask {
  const { credential, signOut } = useAccount();
  return useCallback<Ask>(
    async (document, variables) => {
      const response = await fetch("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", ...authorization(credential) },
        body: JSON.stringify({ query: stringifyDocument(document), variables }),
      }).catch(() => {
        throw new Error("The server cannot be reached.");
      });
      if (response.status === 401) signOut();
      const answer = (await response.json()) as Answer<never>;
      if (answer.errors?.[0]) throw new Error(answer.errors[0].message);
      if (!answer.data) throw new Error("The server gave no answer");
      return answer.data;
    },
    [credential, signOut],
  );
}

// Saves what a REST address answers as a file; a link could not carry the credential.
export function useDownload(): (address: string, name: string) => Promise<void> {
  const { credential } = useAccount();
  return useCallback(
    async (address, name) => {
      const response = await fetch(address, { headers: authorization(credential) });
      if (!response.ok) throw new Error(`The server answered ${response.status}`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
    [credential],
  );
}
