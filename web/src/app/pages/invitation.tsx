// What an invitation's link leads to. Who is not signed in signs in first and then lands here.
import { useState } from "react";
import { useMutation } from "urql";
import { useLocation } from "wouter";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { Button, Failure } from "../ui/kit";

const ACCEPT = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) {
      __typename
      ... on AcceptInvitationPayload { teamId }
      ... on InvalidInput { message }
      ... on NotFound { message }
      ... on Forbidden { message }
      ... on Conflict { message }
    }
  }
`);

export default function InvitationPage({ token }: { token: string }) {
  const [{ fetching }, accept] = useMutation(ACCEPT);
  const [wrong, setWrong] = useState<string | null>(null);
  const [, go] = useLocation();
  const join = async () => {
    const { data, error } = await accept({ input: { token } });
    const result = data?.acceptInvitation;
    if (result?.__typename === "AcceptInvitationPayload") go(`/teams/${encodeURIComponent(result.teamId)}`, { replace: true });
    else setWrong(refusal(result, error)?.message ?? "This did not work");
  };
  return (
    <section className="card">
      <title>An invitation · Teamlore</title>
      <h1>You are invited to a team</h1>
      <p>Its members see what you keep there and what you share with it; nothing else of yours.</p>
      {wrong && <Failure message={wrong} />}
      <div className="row spaced">
        <Button kind="main" onPress={() => void join()} isDisabled={fetching}>
          Join the team
        </Button>
      </div>
    </section>
  );
}
