// Moving an entry to a team, or back to oneself.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { useQuery } from "../query";
import { Button, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { Entry } from "./entry";

const MOVE = graphql(`
  mutation MoveKnowledge($input: MoveKnowledgeInput!) {
    moveKnowledge(input: $input) {
      __typename
      ... on MoveKnowledgePayload { entry { id team { id name myRole } } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const PLACES = graphql(`
  query PlacesToMoveTo { teams { id name myRole } }
`);

export function Move({ entry, onDone }: { entry: Entry; onDone: () => void }) {
  const [{ data: places }] = useQuery({ query: PLACES });
  const [, move] = useMutation(MOVE);
  const [wrong, setWrong] = useState<string>();
  const say = useToast();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const teamId = String(new FormData(event.currentTarget).get("team")) || null;
    const { data, error } = await move({ input: { id: entry.id, teamId } });
    const problem = refusal(data?.moveKnowledge, error);
    setWrong(problem?.fields["teamId"] ?? problem?.message);
    if (problem) return;
    const before = entry.team?.id ?? null;
    if (before !== teamId)
      say("Moved", () => {
        void move({ input: { id: entry.id, teamId: before } }).then((back) => {
          const refused = refusal(back.data?.moveKnowledge, back.error);
          if (refused) say(refused.message);
        });
      });
    onDone();
  };
  return (
    <form onSubmit={submit}>
      <Field label="To" hint="Whoever is in the team sees it; alone, only you do." wrong={wrong}>
        {(ids) => (
          <select {...ids} name="team" defaultValue={entry.team?.id ?? ""} key={places ? "known" : "asked"}>
            <option value="">yourself alone</option>
            {places?.teams
              .filter(({ myRole }) => myRole !== "VIEWER")
              .map((team) => (
                <option key={team.id} value={team.id}>
                  {team.name}
                </option>
              ))}
          </select>
        )}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Move it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}
