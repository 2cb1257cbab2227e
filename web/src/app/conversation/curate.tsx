// One's own words about a session, and its end.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useLocation } from "wouter";

import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Button, Dialog, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";

const UPDATE = graphql(`
  mutation UpdateSession($input: UpdateSessionInput!) {
    updateSession(input: $input) {
      __typename
      ... on UpdateSessionPayload { session { id name projectName tags notes } }
      ... on InvalidInput { message problems { path message } }
      ... on NotFound { message }
      ... on Conflict { message }
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteSession($input: DeleteSessionInput!) {
    deleteSession(input: $input) { __typename ... on InvalidInput { message } ... on NotFound { message } ... on Conflict { message } }
  }
`);

interface Curated {
  id: string;
  name: string | null;
  projectName: string | null;
  tags: readonly string[];
  notes: string | null;
}

export function Curate({ session }: { session: Curated }) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const close = () => setAsked(null);
  return (
    <div className="row actions">
      <Button onPress={() => setAsked("edit")}>Edit</Button>
      <Button kind="danger" onPress={() => setAsked("delete")}>
        Delete
      </Button>
      <Dialog title="About the session" open={asked === "edit"} onClose={close}>
        <Edit session={session} onDone={close} />
      </Dialog>
      <Dialog title="Delete the session?" open={asked === "delete"} onClose={close}>
        <Delete id={session.id} />
      </Dialog>
    </div>
  );
}

function Edit({ session, onDone }: { session: Curated; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const tags = text("tags")
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean);
    // What was not touched is not sent: other machines write these too.
    const changed = {
      ...(text("name") !== (session.name ?? "") && { name: text("name") }),
      ...(text("project") !== (session.projectName ?? "") && { project: text("project") }),
      ...(tags.join() !== session.tags.join() && { tags }),
      ...(text("notes") !== (session.notes ?? "") && { notes: text("notes") }),
    };
    const { data, error } = await update({ input: { id: session.id, ...changed } });
    const problem = refusal(data?.updateSession, error);
    setWrong(problem);
    if (!problem) onDone();
  };
  return (
    <form onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="Name" wrong={wrong?.fields["name"]}>
        {(ids) => <input {...ids} name="name" defaultValue={session.name ?? ""} />}
      </Field>
      <Field label="Project" wrong={wrong?.fields["project"]}>
        {(ids) => <input {...ids} name="project" defaultValue={session.projectName ?? ""} />}
      </Field>
      <Field label="Tags" hint="With commas between them." wrong={wrong?.fields["tags"]}>
        {(ids) => <input {...ids} name="tags" defaultValue={session.tags.join(", ")} />}
      </Field>
      <Field label="Notes" hint="For yourself: nobody else sees them." wrong={wrong?.fields["notes"]}>
        {(ids) => <textarea {...ids} name="notes" defaultValue={session.notes ?? ""} />}
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

function Delete({ id }: { id: string }) {
  const [, remove] = useMutation(DELETE);
  const [wrong, setWrong] = useState<string | null>(null);
  const [, go] = useLocation();
  const say = useToast();
  const sure = async () => {
    const { data, error } = await remove({ input: { id } });
    const problem = refusal(data?.deleteSession, error);
    if (problem) return setWrong(problem.message);
    say("The session is deleted");
    go("/sessions", { replace: true });
  };
  return (
    <>
      {wrong && <Failure message={wrong} />}
      <p>Its conversation and all versions go with it, and teams see it no more. This cannot be undone.</p>
      <div className="row">
        <Button kind="danger" onPress={() => void sure()}>
          Delete it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </>
  );
}
