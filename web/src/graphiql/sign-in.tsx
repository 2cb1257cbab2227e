import { type FormEvent, useEffect, useState } from "react";

import { authorization } from "../credential";

interface Props {
  credential: string;
  onChange: (credential: string) => void;
}

type Who = { state: "nobody" | "asking" } | { state: "known"; name: string } | { state: "refused"; why: string };

const VIEWER = "query Who { viewer { username email } }";

async function whoIs(credential: string, signal: AbortSignal): Promise<Who> {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization(credential) },
    body: JSON.stringify({ query: VIEWER }),
    signal,
  });
  const answer = await response.json();
  const viewer = answer.data?.viewer;
  if (viewer) return { state: "known", name: viewer.username ?? viewer.email ?? "you" };
  return { state: "refused", why: answer.errors?.[0]?.message ?? "The server did not answer" };
}

function useWho(credential: string): Who {
  const [who, setWho] = useState<Who>({ state: "nobody" });
  useEffect(() => {
    if (!credential) return setWho({ state: "nobody" });
    const asking = new AbortController();
    setWho({ state: "asking" });
    whoIs(credential, asking.signal).then(setWho, (error: unknown) => {
      if (!asking.signal.aborted) setWho({ state: "refused", why: String(error) });
    });
    return () => asking.abort();
  }, [credential]);
  return who;
}

function said(who: Who): string {
  switch (who.state) {
    case "nobody":
      return "You ask as nobody: only what needs no account is answered.";
    case "asking":
      return "Signing in…";
    case "known":
      return `You ask as ${who.name}.`;
    case "refused":
      return who.why;
  }
}

export function SignIn({ credential, onChange }: Props) {
  const [given, setGiven] = useState("");
  const who = useWho(credential);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(given.trim());
    setGiven("");
  };
  return (
    <header className="sign-in">
      <p role="status" data-state={who.state}>
        {said(who)}
      </p>
      {credential ? (
        <button type="button" onClick={() => onChange("")}>
          Sign out
        </button>
      ) : (
        <form onSubmit={submit}>
          <label htmlFor="credential">API key or token</label>
          <input
            id="credential"
            type="password"
            autoComplete="off"
            required
            value={given}
            onChange={(event) => setGiven(event.target.value)}
          />
          <button type="submit">Sign in</button>
        </form>
      )}
    </header>
  );
}
