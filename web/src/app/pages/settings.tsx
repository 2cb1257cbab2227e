import { useState } from "react";
import { useMutation, useQuery } from "urql";

import { useAccount } from "../account";
import { graphql } from "../graph";
import { refusal, said } from "../problems";
import { Ago, Button, Copied, Failure, Field, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";

const ME = graphql(`
  query Me {
    viewer { id username email createdAt apiKeys(first: 100) { nodes { id label prefix createdAt lastUsedAt } } }
  }
`);

const CREATE_KEY = graphql(`
  mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      __typename
      ... on CreateApiKeyPayload { secret apiKey { id } }
      ... on InvalidInput { message problems { path message } }
    }
  }
`);

const REVOKE_KEY = graphql(`
  mutation RevokeKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) { __typename ... on Problem { message } }
  }
`);

const THEMES = ["system", "light", "dark"] as const;

export default function SettingsPage() {
  const { signOut } = useAccount();
  const [{ data, error }, again] = useQuery({ query: ME });
  const retry = () => again({ requestPolicy: "network-only" });
  if (error && !data) return <Failure message={said(error)} retry={retry} />;
  if (!data) return <Loading what="your account" />;
  const { viewer } = data;
  return (
    <>
      <title>Settings · Teamlore</title>
      <h1>Settings</h1>
      <section className="card spaced">
        <div className="row">
          <span className="grow">
            <strong>{viewer.username ?? viewer.email}</strong>{" "}
            <span className="quiet small">
              here since <Ago at={viewer.createdAt} />
            </span>
          </span>
          <Button onPress={signOut}>Sign out</Button>
        </div>
      </section>
      <Keys keys={viewer.apiKeys.nodes} onChanged={retry} />
      <Appearance />
    </>
  );
}

interface Key {
  id: string;
  label: string;
  prefix: string;
  createdAt: string;
  lastUsedAt: string | null;
}

function Keys({ keys, onChanged }: { keys: Key[]; onChanged: () => void }) {
  const [, create] = useMutation(CREATE_KEY);
  const [, revoke] = useMutation(REVOKE_KEY);
  const [label, setLabel] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const say = useToast();
  const mint = async () => {
    const { data, error } = await create({ input: { label } });
    if (data?.createApiKey.__typename === "CreateApiKeyPayload") setSecret(data.createApiKey.secret);
    else say(refusal(data?.createApiKey, error)?.message ?? "No key was made");
    setLabel("");
    onChanged();
  };
  const end = async (id: string) => {
    const { data, error } = await revoke({ input: { id } });
    say(refusal(data?.revokeApiKey, error)?.message ?? "The key is useless now");
    onChanged();
  };
  return (
    <section className="card spaced" aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <ul className="plain stack">
        {keys.map((key) => (
          <li key={key.id} className="row">
            <code>{key.prefix}…</code>
            <span className="grow">{key.label || <span className="quiet">no label</span>}</span>
            <span className="quiet small">{key.lastUsedAt ? <>used <Ago at={key.lastUsedAt} /></> : "never used"}</span>
            <Button kind="danger" onPress={() => void end(key.id)} aria-label={`Revoke the key ${key.prefix}`}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
      {secret && <Copied label="the new key" text={secret} />}
      <div className="row spaced">
        <div className="grow">
          <Field label="A new key, called">
            {(ids) => <input {...ids} value={label} onChange={(e) => setLabel(e.target.value)} />}
          </Field>
        </div>
        <Button kind="main" onPress={() => void mint()}>
          Make it
        </Button>
      </div>
    </section>
  );
}

function Appearance() {
  const [theme, setTheme] = useState(localStorage.getItem("teamlore.theme") ?? "system");
  const choose = (given: string) => {
    setTheme(given);
    if (given === "system") {
      localStorage.removeItem("teamlore.theme");
      delete document.documentElement.dataset["theme"];
    } else {
      localStorage.setItem("teamlore.theme", given);
      document.documentElement.dataset["theme"] = given;
    }
  };
  return (
    <section className="card spaced">
      <h2>Appearance</h2>
      <Field label="Theme">
        {(ids) => (
          <select {...ids} value={theme} onChange={(e) => choose(e.target.value)}>
            {THEMES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
    </section>
  );
}
