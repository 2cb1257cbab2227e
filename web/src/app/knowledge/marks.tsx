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
    starKnowledge(input: $input) { __typename ... on StarKnowledgePayload { entry { id starred } } ... on Problem { message } }
  }
`);

const UNSTAR = graphql(`
  mutation UnstarKnowledge($input: UnstarKnowledgeInput!) {
    unstarKnowledge(input: $input) { __typename ... on UnstarKnowledgePayload { entry { id starred } } ... on Problem { message } }
  }
`);

const PIN = graphql(`
  mutation PinKnowledge($input: PinKnowledgeInput!) {
    pinKnowledge(input: $input) { __typename ... on PinKnowledgePayload { entry { id pinnedAt } } ... on Problem { message } }
  }
`);

const UNPIN = graphql(`
  mutation UnpinKnowledge($input: UnpinKnowledgeInput!) {
    unpinKnowledge(input: $input) { __typename ... on UnpinKnowledgePayload { entry { id pinnedAt } } ... on Problem { message } }
  }
`);

export function Star({ entry }: { entry: Entry }) {
  const [wish, setWish] = useState<boolean | null>(null);
  const [, star] = useMutation(STAR);
  const [, unstar] = useMutation(UNSTAR);
  const say = useToast();
  const on = wish ?? entry.starred;
  const turn = async () => {
    setWish(!on);
    const input = { id: entry.id };
    const problem = on
      ? await unstar({ input }).then(({ data, error }) => refusal(data?.unstarKnowledge, error))
      : await star({ input }).then(({ data, error }) => refusal(data?.starKnowledge, error));
    setWish(null);
    if (problem) say(problem.message);
  };
  return (
    <Button onPress={() => void turn()} aria-pressed={on} aria-label={`Star: ${entry.summary}`}>
      {on ? "★" : "☆"} Star
    </Button>
  );
}

export function Pin({ entry }: { entry: Entry }) {
  const [wish, setWish] = useState<boolean | null>(null);
  const [, pin] = useMutation(PIN);
  const [, unpin] = useMutation(UNPIN);
  const say = useToast();
  const on = wish ?? entry.pinnedAt !== null;
  const turn = async () => {
    setWish(!on);
    const input = { id: entry.id };
    const problem = on
      ? await unpin({ input }).then(({ data, error }) => refusal(data?.unpinKnowledge, error))
      : await pin({ input }).then(({ data, error }) => refusal(data?.pinKnowledge, error));
    setWish(null);
    if (problem) say(problem.message);
  };
  return (
    <Button onPress={() => void turn()} aria-pressed={on} aria-label={`Pin: ${entry.summary}`}>
      Pin{on ? "ned" : ""}
    </Button>
  );
}
