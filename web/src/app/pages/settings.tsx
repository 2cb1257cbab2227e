// One's account: the keys, the password, where one is signed in, what was done, how it looks.
import { useState } from "react";

import { useAccount } from "../account";
import { Audit } from "../settings/audit";
import { Ending } from "../settings/ending";
import { Export } from "../settings/export";
import { Keys } from "../settings/keys";
import { Password } from "../settings/password";
import { SignOutEverywhere } from "../settings/sign-out";
import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Ago, Button, Failure, Field, Loading } from "../ui/kit";

const ME = graphql(`
  query Me {
    viewer {
      id username email tier createdAt
      apiKeys(first: 100) { nodes { id label prefix createdAt lastUsedAt lastProgram lastAddress scopes expiresAt } }
    }
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
      <Password hasPassword={viewer.email !== null} onChanged={retry} />
      <SignOutEverywhere />
      <Appearance />
      <Audit />
      <Export />
      <Ending hasPassword={viewer.email !== null} username={viewer.username} />
    </>
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
