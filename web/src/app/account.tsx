// Who is signed in in this tab, and the client that asks on their behalf.
import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { Provider } from "urql";

import { storeCredential, storedCredential } from "../credential";
import { type Connected, connect } from "./client";

interface Account {
  signedIn: boolean;
  credential: string;
  connected: Connected;
  signIn: (credential: string) => void;
  signOut: () => void;
}

const AccountContext = createContext<Account | null>(null);

export function AccountProvider({ children }: { children: ReactNode }) {
  const [credential, setCredential] = useState(storedCredential);
  const signIn = useCallback((given: string) => {
    storeCredential(given);
    setCredential(given);
  }, []);
  const signOut = useCallback(() => signIn(""), [signIn]);
  // A fresh cache a credential: nobody sees what another person's cache holds.
  const connected = useMemo(() => connect(credential, signOut), [credential, signOut]);
  useEffect(() => connected.dispose, [connected]);
  const account = useMemo(
    () => ({ signedIn: credential !== "", credential, connected, signIn, signOut }),
    [credential, connected, signIn, signOut],
  );
  return (
    <AccountContext value={account}>
      <Provider value={connected.client}>{children}</Provider>
    </AccountContext>
  );
}

export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error("useAccount belongs inside AccountProvider");
  return account;
}
