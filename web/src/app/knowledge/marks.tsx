// A star for oneself, a pin for all: shown as wished at once, and as it is again when the server
// refuses.
import { useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { Button } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { Entry } from "./entry";

const STAR = graphql(`
  mutation StarKnowledge($input: StarKnowledgeInput!) {
    starKnowledge(input: $input) { __typename ... on StarKnowledgePayload { entry { id starred } } ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

const UNSTAR = graphql(`
  mutation UnstarKnowledge($input: UnstarKnowledgeInput!) {
    unstarKnowledge(input: $input) { __typename ... on UnstarKnowledgePayload { entry { id starred } } ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

const PIN = graphql(`
  mutation PinKnowledge($input: PinKnowledgeInput!) {
    pinKnowledge(input: $input) { __typename ... on PinKnowledgePayload { entry { id pinnedAt } } ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

const UNPIN = graphql(`
  mutation UnpinKnowledge($input: UnpinKnowledgeInput!) {
    unpinKnowledge(input: $input) { __typename ... on UnpinKnowledgePayload { entry { id pinnedAt } } ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

// What is shown, and what turns it: to the other at once, and back when the server refuses.
function useMark(now: boolean, change: (on: boolean) => Promise<ReturnType<typeof refusal>>): [boolean, () => void] {
  const [wish, setWish] = useState<boolean | null>(null);
  const say = useToast();
  const on = wish ?? now;
  const turn = async () => {
    setWish(!on);
    const problem = await change(!on);
    setWish(null);
    if (problem) say(problem.message);
  };
  return [on, () => void turn()];
}

export function Star({ entry }: { entry: Entry }) {
  const [, star] = useMutation(STAR);
  const [, unstar] = useMutation(UNSTAR);
  const input = { id: entry.id };
  const [on, turn] = useMark(entry.starred, (wanted) =>
    wanted
      ? star({ input }).then(({ data, error }) => refusal(data?.starKnowledge, error))
      : unstar({ input }).then(({ data, error }) => refusal(data?.unstarKnowledge, error)),
  );
  return (
    <Button onPress={turn} aria-pressed={on} aria-label={`Star: ${entry.summary}`}>
      {on ? "★" : "☆"} Star
    </Button>
  );
}

export function Pin({ entry }: { entry: Entry }) {
  const [, pin] = useMutation(PIN);
  const [, unpin] = useMutation(UNPIN);
  const input = { id: entry.id };
  const [on, turn] = useMark(entry.pinnedAt !== null, (wanted) =>
    wanted
      ? pin({ input }).then(({ data, error }) => refusal(data?.pinKnowledge, error))
      : unpin({ input }).then(({ data, error }) => refusal(data?.unpinKnowledge, error)),
  );
  return (
    <Button onPress={turn} aria-pressed={on} aria-label={`Pin: ${entry.summary}`}>
      Pin{on ? "ned" : ""}
    </Button>
  );
}
