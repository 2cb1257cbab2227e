// The tags of an entry.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { Button } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { Entry } from "./entry";

const TAG = graphql(`
  mutation TagKnowledge($input: TagKnowledgeInput!) {
    tagKnowledge(input: $input) {
      __typename
      ... on TagKnowledgePayload { entry { id tags } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

export function Tags({ entry, mayWrite }: { entry: Entry; mayWrite: boolean }) {
  const [, tag] = useMutation(TAG);
  const [adding, setAdding] = useState(false);
  const say = useToast();
  const [wish, setWish] = useState<readonly string[] | null>(null);
  const shown = wish ?? entry.tags;
  // Shown as wished at once, and as they are again when the server refuses.
  const change = async ({ add = [], remove = [] }: { add?: string[]; remove?: string[] }) => {
    setWish([...new Set([...shown.filter((name) => !remove.includes(name)), ...add])]);
    const { data, error } = await tag({ input: { id: entry.id, add, remove } });
    setWish(null);
    const problem = refusal(data?.tagKnowledge, error);
    if (problem) say(Object.values(problem.fields)[0] ?? problem.message);
    else if (remove[0]) say(`The tag ${remove[0]} is taken away`, () => void change({ add: remove }));
  };
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get("tag")).trim();
    setAdding(false);
    if (given) void change({ add: [given] });
  };
  return (
    <div className="row small">
      {shown.map((name) => (
        <span key={name} className="tag">
          {name}
          {mayWrite && (
            <Button kind="bare" aria-label={`Take the tag ${name} away`} onPress={() => void change({ remove: [name] })}>
              ×
            </Button>
          )}
        </span>
      ))}
      {mayWrite &&
        (adding ? (
          <form onSubmit={add}>
            <input className="pick" name="tag" autoFocus aria-label="New tag" maxLength={100} onBlur={() => setAdding(false)} />
          </form>
        ) : (
          <Button kind="bare" onPress={() => setAdding(true)} aria-label={`Add a tag: ${entry.summary}`}>
            Add a tag
          </Button>
        ))}
    </div>
  );
}
