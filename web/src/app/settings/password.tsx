// Changing the password, or setting the first one of an account that was opened with a username.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { useAccount } from "../account";
import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Button, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";

const CHANGE = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      __typename
      ... on ChangePasswordPayload { token }
      ... on InvalidInput { message problems { path message } }
      ... on Forbidden { message }
      ... on Conflict { message }
      ... on RateLimited { message }
    }
  }
`);

const SET = graphql(`
  mutation SetEmailAndPassword($input: SetEmailAndPasswordInput!) {
    setEmailAndPassword(input: $input) {
      __typename
      ... on SetEmailAndPasswordPayload { token }
      ... on InvalidInput { message problems { path message } }
      ... on Forbidden { message }
      ... on Conflict { message }
    }
  }
`);

export function Password({ hasPassword, onChanged }: { hasPassword: boolean; onChanged: () => void }) {
  const { signIn } = useAccount();
  const [, change] = useMutation(CHANGE);
  const [, set] = useMutation(SET);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const say = useToast();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const text = (name: string) => String(given.get(name) ?? "");
    let problem: Refusal | null;
    let token: string | undefined;
    if (hasPassword) {
      const input = { currentPassword: text("current"), newPassword: text("new"), revokeKeys: given.has("keys") };
      const { data, error } = await change({ input });
      problem = refusal(data?.changePassword, error);
      if (data?.changePassword.__typename === "ChangePasswordPayload") token = data.changePassword.token;
    } else {
      const { data, error } = await set({ input: { email: text("email").trim(), password: text("new") } });
      problem = refusal(data?.setEmailAndPassword, error);
      if (data?.setEmailAndPassword.__typename === "SetEmailAndPasswordPayload") token = data.setEmailAndPassword.token;
    }
    setWrong(problem);
    if (problem) return;
    form.reset();
    say("The password is kept; other sign-ins have ended");
    if (token) signIn(token); // the token of this tab has ended too
    onChanged();
  };
  return (
    <form className="card spaced" onSubmit={submit} aria-labelledby="password">
      <h2 id="password">{hasPassword ? "Password" : "Sign in by e-mail"}</h2>
      {wrong && <Failure message={wrong.message} />}
      {hasPassword ? (
        <Field label="Your password so far" wrong={wrong?.fields["currentPassword"]}>
          {(ids) => <input {...ids} name="current" type="password" required autoComplete="current-password" />}
        </Field>
      ) : (
        <Field label="E-mail address" wrong={wrong?.fields["email"]}>
          {(ids) => <input {...ids} name="email" type="email" required autoComplete="username" />}
        </Field>
      )}
      <Field label="The new password" hint="At least eight characters." wrong={wrong?.fields["newPassword"] ?? wrong?.fields["password"]}>
        {(ids) => <input {...ids} name="new" type="password" required minLength={8} maxLength={128} autoComplete="new-password" />}
      </Field>
      {hasPassword && (
        <label className="row spaced">
          <input type="checkbox" name="keys" /> End all API keys too
        </label>
      )}
      <Button kind="main" type="submit">
        Keep the new password
      </Button>
    </form>
  );
}
