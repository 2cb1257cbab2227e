// Changing what an entry says, in its place.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Button, Failure, Field } from "../ui/kit";
import type { Entry } from "./entry";

const UPDATE = graphql(`
  mutation UpdateKnowledge($input: UpdateKnowledgeInput!) {
    updateKnowledge(input: $input) {
      __typename
      ... on UpdateKnowledgePayload { entry { id summary details } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

export interface Draft {
  summary: string;
  details: string;
}

interface EditProps {
  entry: Entry;
  /** What is written is shown at once; nothing: it is as it was, and the form is back. */
  onDraft: (draft: Draft | null) => void;
  onDone: () => void;
}

export function Edit({ entry, onDraft, onDone }: EditProps) {
  const [, update] = useMutation(UPDATE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const draft = { summary: String(form.get("summary")), details: String(form.get("details")) };
    onDraft(draft);
    const { data, error } = await update({ input: { id: entry.id, summary: draft.summary, details: draft.details || null } });
    onDraft(null);
    const problem = refusal(data?.updateKnowledge, error);
    setWrong(problem);
    if (!problem) onDone();
  };
  return (
    <form className="spaced" onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="What was learned" wrong={wrong?.fields["summary"]}>
        {(ids) => <input {...ids} name="summary" required autoFocus defaultValue={entry.summary} />}
      </Field>
      <Field label="Details" wrong={wrong?.fields["details"]}>
        {(ids) => <textarea {...ids} name="details" defaultValue={entry.details ?? ""} />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Keep it
        </Button>
        <Button onPress={onDone}>Cancel</Button>
      </div>
    </form>
  );
}
