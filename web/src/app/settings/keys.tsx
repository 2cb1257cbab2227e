// The API keys: what each may do, until when, who used it last.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Ago, Button, Copied, Dialog, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";

const CREATE = graphql(`
  mutation CreateKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      __typename
      ... on CreateApiKeyPayload { secret apiKey { id } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const LABEL = graphql(`
  mutation LabelKey($input: LabelApiKeyInput!) {
    labelApiKey(input: $input) {
      __typename
      ... on LabelApiKeyPayload { apiKey { id label } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const REVOKE = graphql(`
  mutation RevokeKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) { __typename ... on Problem { message } }
  }
`);

type Scope = "READ" | "WRITE" | "SYNC" | "ADMIN";

const SCOPES: [Scope, string][] = [
  ["READ", "read, feeds included"],
  ["WRITE", "make, change and delete what you keep here"],
  ["SYNC", "what sync clients do: backups, pushes, contributions"],
  ["ADMIN", "your account and your teams"],
];

interface Key {
  id: string;
  label: string;
  prefix: string;
  lastUsedAt: string | null;
  lastProgram: string | null;
  lastAddress: string | null;
  scopes: readonly Scope[];
  expiresAt: string | null;
}

export function Keys({ keys, onChanged }: { keys: readonly Key[]; onChanged: () => void }) {
  const [asked, setAsked] = useState<{ what: "new" | "label" | "revoke"; key?: Key } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => setAsked(null);
  const done = () => {
    close();
    onChanged();
  };
  return (
    <section className="card spaced" aria-labelledby="keys">
      <div className="row">
        <h2 id="keys" className="grow">
          API keys
        </h2>
        <Button kind="main" onPress={() => setAsked({ what: "new" })}>
          A new key
        </Button>
      </div>
      {secret && (
        <div className="spaced">
          <p>The new key, shown this once:</p>
          <Copied label="the new key" text={secret} />
        </div>
      )}
      <ul className="plain stack">
        {keys.map((key) => (
          <li key={key.id} className="row">
            <code>{key.prefix}…</code>
            <span className="grow">
              {key.label || <span className="quiet">no label</span>}{" "}
              {key.scopes.length < SCOPES.length && <span className="tag">{key.scopes.map((scope) => scope.toLowerCase()).join(", ")}</span>}
            </span>
            <span className="quiet small" title={[key.lastProgram, key.lastAddress].filter(Boolean).join(", ") || undefined}>
              {key.lastUsedAt ? <>used <Ago at={key.lastUsedAt} /></> : "never used"}
            </span>
            {key.expiresAt && (
              <span className="quiet small">
                ends <Ago at={key.expiresAt} />
              </span>
            )}
            <span className="pair-of">
              <Button onPress={() => setAsked({ what: "label", key })} aria-label={`Label the key ${key.prefix}`}>
                Label
              </Button>
              <Button kind="danger" onPress={() => setAsked({ what: "revoke", key })} aria-label={`Revoke the key ${key.prefix}`}>
                Revoke
              </Button>
            </span>
          </li>
        ))}
      </ul>
      <Dialog title="A new key" open={asked?.what === "new"} onClose={close}>
        <NewKey
          onMade={(made) => {
            setSecret(made);
            done();
          }}
        />
      </Dialog>
      <Dialog title="Label the key" open={asked?.what === "label"} onClose={close}>
        {asked?.key && <Label apiKey={asked.key} onDone={done} />}
      </Dialog>
      <Dialog title={`Revoke ${asked?.key?.label || asked?.key?.prefix}?`} open={asked?.what === "revoke"} onClose={close}>
        {asked?.key && <Revoke id={asked.key.id} onDone={done} />}
      </Dialog>
    </section>
  );
}

function NewKey({ onMade }: { onMade: (secret: string) => void }) {
  const [, create] = useMutation(CREATE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const until = String(form.get("until") ?? "");
    const scopes = form.getAll("scope") as Scope[];
    const { data, error } = await create({
      input: {
        label: String(form.get("label")),
        scopes: scopes.length === SCOPES.length ? null : scopes,
        expiresAt: until ? new Date(`${until}T23:59:59`).toISOString() : null,
      },
    });
    if (data?.createApiKey.__typename === "CreateApiKeyPayload") onMade(data.createApiKey.secret);
    else setWrong(refusal(data?.createApiKey, error));
  };
  return (
    <form onSubmit={submit}>
      {wrong && <Failure message={Object.values(wrong.fields)[0] ?? wrong.message} />}
      <Field label="Label" hint="What it is for, in your words." wrong={wrong?.fields["label"]}>
        {(ids) => <input {...ids} name="label" />}
      </Field>
      <fieldset>
        <legend>It may</legend>
        {SCOPES.map(([scope, meaning]) => (
          <label key={scope} className="row">
            <input type="checkbox" name="scope" value={scope} defaultChecked />
            <strong>{scope.toLowerCase()}</strong>
            <span className="quiet small">{meaning}</span>
          </label>
        ))}
      </fieldset>
      <Field label="Until" hint="Left empty, until you revoke it." wrong={wrong?.fields["expiresAt"]}>
        {(ids) => <input {...ids} name="until" type="date" />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Make it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}

function Label({ apiKey, onDone }: { apiKey: Key; onDone: () => void }) {
  const [, label] = useMutation(LABEL);
  const [wrong, setWrong] = useState<string>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get("label"));
    const { data, error } = await label({ input: { id: apiKey.id, label: given } });
    const problem = refusal(data?.labelApiKey, error);
    setWrong(problem?.fields["label"] ?? problem?.message);
    if (!problem) onDone();
  };
  return (
    <form onSubmit={submit}>
      <Field label="Label" wrong={wrong}>
        {(ids) => <input {...ids} name="label" defaultValue={apiKey.label} />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Keep it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}

function Revoke({ id, onDone }: { id: string; onDone: () => void }) {
  const [, revoke] = useMutation(REVOKE);
  const say = useToast();
  const sure = async () => {
    const { data, error } = await revoke({ input: { id } });
    say(refusal(data?.revokeApiKey, error)?.message ?? "The key is useless now");
    onDone();
  };
  return (
    <>
      <p>Whatever uses it is turned away at once. This cannot be undone.</p>
      <div className="row">
        <Button kind="danger" onPress={() => void sure()}>
          Revoke it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </>
  );
}
