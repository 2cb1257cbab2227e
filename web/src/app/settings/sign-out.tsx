// Ending every sign-in at once.
import { useState } from "react";
import { useMutation } from "urql";

import { useAccount } from "../account";
import { graphql } from "../graph";
import { refusal } from "../problems";
import { Button, Dialog } from "../ui/kit";
import { useToast } from "../ui/toasts";

const SIGN_OUT = graphql(`
  mutation SignOutEverywhere($input: SignOutEverywhereInput) {
    signOutEverywhere(input: $input) {
      __typename
      ... on SignOutEverywherePayload { token }
      ... on InvalidInput { message }
      ... on Forbidden { message }
    }
  }
`);

export function SignOutEverywhere({ onChanged }: { onChanged: () => void }) {
  const { signIn, signOut } = useAccount();
  const [, end] = useMutation(SIGN_OUT);
  const [open, setOpen] = useState(false);
  const [stay, setStay] = useState(true);
  const [keys, setKeys] = useState(false);
  const say = useToast();
  const sure = async () => {
    setOpen(false);
    const { data, error } = await end({ input: { keepThisSession: stay, revokeKeys: keys } });
    const result = data?.signOutEverywhere;
    const problem = refusal(result, error);
    if (problem) return say(problem.message);
    say("Signed out everywhere");
    if (stay) onChanged();
    if (result?.__typename === "SignOutEverywherePayload" && result.token) signIn(result.token);
    else if (!stay) signOut();
  };
  return (
    <section className="card spaced">
      <div className="row">
        <h2 className="grow">Elsewhere</h2>
        <Button kind="danger" onPress={() => setOpen(true)}>
          Sign out everywhere
        </Button>
      </div>
      <Dialog title="Sign out everywhere?" open={open} onClose={() => setOpen(false)}>
        <p>Every token ends, on every machine and in every browser.</p>
        <label className="row">
          <input type="checkbox" checked={stay} onChange={(e) => setStay(e.target.checked)} /> Stay signed in here
        </label>
        <label className="row spaced">
          <input type="checkbox" checked={keys} onChange={(e) => setKeys(e.target.checked)} /> End all API keys too: machines stop backing up
        </label>
        <div className="row">
          <Button kind="danger" onPress={() => void sure()}>
            Sign out
          </Button>
          <Button slot="close">Cancel</Button>
        </div>
      </Dialog>
    </section>
  );
}
