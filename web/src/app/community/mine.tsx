// One's own part in the community, and taking it back.
import { useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal, said } from "../problems";
import { useQuery } from "../query";
import { Button, Dialog, Failure, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";
import { shared } from "./shared";

const MINE = graphql(`
  query Contributions($after: Cursor) {
    viewer {
      id
      contributions(first: 50, after: $after) {
        nodes { patternId category approach type countsFrom pattern { id sharedBy numbersFrom } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

const WITHDRAW = graphql(`
  mutation WithdrawContributions($input: WithdrawContributionsInput!) {
    withdrawContributions(input: $input) {
      __typename
      ... on WithdrawContributionsPayload { withdrawnIds }
      ... on InvalidInput { message }
      ... on NotFound { message }
    }
  }
`);

export function Mine() {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error }, again] = useQuery({ query: MINE, variables: { after } });
  const [, withdraw] = useMutation(WITHDRAW);
  const [sure, setSure] = useState(false);
  const say = useToast();
  const take = async (input: { ids?: string[]; everything?: boolean }) => {
    setSure(false);
    const answer = await withdraw({ input: { ids: input.ids ?? null, everything: input.everything ?? false } });
    say(refusal(answer.data?.withdrawContributions, answer.error)?.message ?? "Withdrawn");
    setAfter(null);
    again({ requestPolicy: "network-only" });
  };
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="what you contributed" />;
  const { nodes, pageInfo } = data.viewer.contributions;
  return (
    <section className="card">
      <h2>What you contributed</h2>
      {nodes.length === 0 && <p className="quiet small">Nothing. A client contributes only when you ask it to.</p>}
      <ul className="plain stack">
        {nodes.map((mine) => (
          <li key={mine.patternId}>
            <span className="small quiet">{mine.pattern ? shared(mine.pattern) : "seen by you alone"}</span>
            <div className="row">
              <span className="grow small">
                {mine.category}: {mine.approach}
              </span>
              <Button onPress={() => void take({ ids: [mine.patternId] })} aria-label={`Withdraw: ${mine.approach}`}>
                Withdraw
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <div className="row spaced">
        {pageInfo.hasNextPage && <Button onPress={() => setAfter(pageInfo.endCursor)}>Show more</Button>}
        {nodes.length > 0 && (
          <Button kind="danger" onPress={() => setSure(true)}>
            Withdraw everything
          </Button>
        )}
      </div>
      <Dialog title="Withdraw all that you contributed?" open={sure} onClose={() => setSure(false)}>
        <p>Patterns that too few others share are shown no more. This cannot be undone.</p>
        <div className="row">
          <Button kind="danger" onPress={() => void take({ everything: true })}>
            Withdraw everything
          </Button>
          <Button slot="close">Cancel</Button>
        </div>
      </Dialog>
    </section>
  );
}
