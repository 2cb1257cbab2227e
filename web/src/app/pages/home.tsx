// What this is, and the two ways in: a new account with its key, or a key or password one has.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { useAccount } from "../account";
import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Button, Copied, Field } from "../ui/kit";

const REGISTER = graphql(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      __typename
      ... on RegisterPayload { token apiKey }
      ... on InvalidInput { message problems { path message } }
      ... on Conflict { message }
    }
  }
`);

const LOG_IN = graphql(`
  mutation LogIn($input: LogInInput!) {
    logIn(input: $input) {
      __typename
      ... on LogInPayload { token }
      ... on InvalidInput { message problems { path message } }
      ... on InvalidCredentials { message }
      ... on RateLimited { message }
    }
  }
`);

interface NewAccount {
  token: string;
  apiKey: string;
}

export function HomePage() {
  const [made, setMade] = useState<NewAccount | null>(null);
  return (
    <main className="home">
      <title>Teamlore</title>
      <header>
        <h1>Teamlore</h1>
        <p className="quiet">
          The memory of a team that codes with Claude Code. Your conversations come back on any machine; what one of you
          learned, all of you know.
        </p>
      </header>
      {window.location.pathname.startsWith("/invitations/") && (
        <p className="card" role="status">
          You are invited to a team. Sign in or open an account; then you can join it.
        </p>
      )}
      {made ? <FirstSteps made={made} /> : <Ways onMade={setMade} />}
    </main>
  );
}

function Ways({ onMade }: { onMade: (made: NewAccount) => void }) {
  return (
    <div className="ways">
      <Register onMade={onMade} />
      <SignIn />
    </div>
  );
}

function Register({ onMade }: { onMade: (made: NewAccount) => void }) {
  const [, register] = useMutation(REGISTER);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const byEmail = name.includes("@");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = byEmail ? { email: name.trim(), password } : { username: name.trim() };
    const { data, error } = await register({ input });
    if (data?.register.__typename === "RegisterPayload") onMade(data.register);
    else setWrong(refusal(data?.register, error));
  };
  return (
    <form className="card" onSubmit={submit}>
      <h2>Open an account</h2>
      <Field
        label="Username or e-mail address"
        hint="A username is enough; an address and a password let you sign in without a key."
        wrong={wrong?.fields["username"] ?? wrong?.fields["email"] ?? (wrong && !Object.keys(wrong.fields).length ? wrong.message : undefined)}
      >
        {(ids) => <input {...ids} required autoComplete="username" value={name} onChange={(e) => setName(e.target.value)} />}
      </Field>
      {byEmail && (
        <Field label="Password" hint="At least eight characters." wrong={wrong?.fields["password"]}>
          {(ids) => (
            <input {...ids} required type="password" autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} />
          )}
        </Field>
      )}
      <Button kind="main" type="submit">
        Open the account
      </Button>
    </form>
  );
}

function SignIn() {
  const { signIn } = useAccount();
  const [, logIn] = useMutation(LOG_IN);
  const [name, setName] = useState("");
  const [secret, setSecret] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const byKey = name.trim() === "";

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data, error } = byKey ? await tryKey(secret.trim()) : await logIn({ input: { email: name.trim(), password: secret } });
    if (data?.logIn.__typename === "LogInPayload") signIn(data.logIn.token);
    else setWrong(refusal(data?.logIn, error)?.message ?? null);
  };
  // A key is tried by the request that it makes first; a wrong one is told at once.
  const tryKey = async (key: string) => {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify({ query: "{ viewer { id } }" }),
    });
    if (answer.ok) return { data: { logIn: { __typename: "LogInPayload" as const, token: key } }, error: undefined };
    const message = (await answer.json()).errors?.[0]?.message ?? "The server did not answer";
    return { data: { logIn: { __typename: "InvalidCredentials" as const, message } }, error: undefined };
  };
  return (
    <form className="card" onSubmit={submit}>
      <h2>Sign in</h2>
      <Field label="E-mail address" hint="Leave it empty to sign in with an API key.">
        {(ids) => <input {...ids} type="email" autoComplete="username" value={name} onChange={(e) => setName(e.target.value)} />}
      </Field>
      <Field label={byKey ? "API key" : "Password"} wrong={wrong ?? undefined}>
        {(ids) => (
          <input {...ids} required type="password" autoComplete="current-password" value={secret} onChange={(e) => setSecret(e.target.value)} />
        )}
      </Field>
      <Button kind="main" type="submit">
        Sign in
      </Button>
    </form>
  );
}

function FirstSteps({ made }: { made: NewAccount }) {
  const { signIn } = useAccount();
  const here = window.location.origin;
  return (
    <section className="card stack">
      <div>
        <h2>Your key</h2>
        <p>It is shown this once. It opens everything that is yours: keep it like a password.</p>
        <Copied label="the key" text={made.apiKey} />
      </div>
      <div>
        <h2>Back up your sessions</h2>
        <p>Paste this in a shell on the machine where you use Claude Code. It backs everything up now, and each session after every turn.</p>
        <Copied label="the set-up command" text={`curl -fsS ${here}/setup.sh | TEAMLORE_KEY=${made.apiKey} bash`} />
        <details>
          <summary>With the scripts of the Claude Session Registry instead</summary>
          <p>Set these in the shell, then paste its set-up script as its document prints it.</p>
          <Copied label="the variables of the session scripts" text={`export CSR_API_KEY=${made.apiKey} CSR_URL=${here}`} />
        </details>
      </div>
      <div>
        <h2>Connect the MCP client</h2>
        <Copied
          label="the variables of the MCP client"
          text={`export CLAUDE_HISTORY_CLOUD_URL=${here}\nexport CLAUDE_HISTORY_CLOUD_API_KEY=${made.apiKey}`}
        />
      </div>
      <div>
        <Button kind="main" onPress={() => signIn(made.token)}>
          I have kept the key: go on
        </Button>
      </div>
    </section>
  );
}
