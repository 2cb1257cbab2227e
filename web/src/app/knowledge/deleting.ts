// Deleting an entry: gone at once; put back when the server refuses, or when it was undone.
import { useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { useToast } from "../ui/toasts";

const DELETE = graphql(`
  mutation DeleteKnowledge($input: DeleteKnowledgeInput!) {
    deleteKnowledge(input: $input) { __typename ... on Problem { message } }
  }
`);

const RESTORE = graphql(`
  mutation RestoreKnowledge($input: RestoreKnowledgeInput!) {
    restoreKnowledge(input: $input) { __typename ... on Problem { message } }
  }
`);

export function useDeleting(id: string) {
  const [gone, setGone] = useState(false);
  const [, remove] = useMutation(DELETE);
  const [, restore] = useMutation(RESTORE);
  const say = useToast();
  const putBack = async () => {
    setGone(false);
    const { data, error } = await restore({ input: { id } });
    const problem = refusal(data?.restoreKnowledge, error);
    if (problem) say(problem.message);
  };
  const takeAway = async () => {
    setGone(true);
    const { data, error } = await remove({ input: { id } });
    const problem = refusal(data?.deleteKnowledge, error);
    if (problem) {
      setGone(false);
      say(problem.message);
    } else say("Deleted", () => void putBack());
  };
  return { gone, takeAway };
}
