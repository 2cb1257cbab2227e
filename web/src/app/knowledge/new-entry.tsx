// A new entry, written by hand.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { useQuery } from "../query";
import { Button, Failure, Field } from "../ui/kit";

const CREATE = graphql(`
  mutation CreateKnowledge($input: CreateKnowledgeInput!) {
    createKnowledge(input: $input) {
      __typename
      ... on CreateKnowledgePayload { entry { id } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const PLACES = graphql(`
  query PlacesToKeepIn { teams { id name myRole } }
`);

const TYPES = ["decision", "solution", "error_fix", "pattern"];

export function NewEntry({ team, onDone }: { team: string; onDone: () => void }) {
  const [, create] = useMutation(CREATE);
  const [{ data: places }] = useQuery({ query: PLACES });
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const { data, error } = await create({
      input: {
        type: text("type"),
        summary: text("summary"),
        details: text("details") || null,
        project: text("project") || null,
        tags: text("tags").split(",").map((tag) => tag.trim()).filter(Boolean),
        timestamp: Date.now(),
        teamId: text("team") || null,
      },
    });
    const problem = refusal(data?.createKnowledge, error);
    setWrong(problem);
    if (!problem) onDone();
  };
  return (
    <form onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="Kind" wrong={wrong?.fields["type"]}>
        {(ids) => (
          <>
            <input {...ids} name="type" required list="kinds" defaultValue="decision" />
            <datalist id="kinds">
              {TYPES.map((type) => (
                <option key={type} value={type} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="What was learned, in a sentence" wrong={wrong?.fields["summary"]}>
        {(ids) => <input {...ids} name="summary" required />}
      </Field>
      <Field label="Kept for" hint="Whoever is in the team sees it; alone, only you do." wrong={wrong?.fields["teamId"]}>
        {(ids) => (
          <select {...ids} name="team" defaultValue={team} key={places ? "known" : "asked"}>
            <option value="">yourself alone</option>
            {places?.teams
              .filter(({ myRole }) => myRole !== "VIEWER")
              .map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </select>
        )}
      </Field>
      <Field label="Details" wrong={wrong?.fields["details"]}>
        {(ids) => <textarea {...ids} name="details" />}
      </Field>
      <Field label="Project" wrong={wrong?.fields["project"]}>
        {(ids) => <input {...ids} name="project" />}
      </Field>
      <Field label="Tags" hint="Separated by commas." wrong={wrong?.fields["tags"]}>
        {(ids) => <input {...ids} name="tags" />}
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
