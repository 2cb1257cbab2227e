// The end of an account, which its owner proves to be.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { useAccount } from "../account";
import { graphql } from "../graph";
import { type Refusal, refusal } from "../problems";
import { Button, Dialog, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";

const DELETE = graphql(`
  mutation DeleteAccount($input: DeleteAccountInput!) {
    deleteAccount(input: $input) {
      __typename
      ... on DeleteAccountPayload { deletedTeams }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

export function Ending({ hasPassword, username }: { hasPassword: boolean; username: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <section className="card spaced" aria-labelledby="ending">
      <div className="row">
        <h2 id="ending" className="grow">
          Delete the account
        </h2>
        <Button kind="danger" onPress={() => setOpen(true)}>
          Delete the account
        </Button>
      </div>
      <p className="quiet small">
        Your sessions, private knowledge, contributions and keys go with it. What you wrote into teams stays there, without your name.
      </p>
      <Dialog title="Delete your account for good?" open={open} onClose={() => setOpen(false)}>
        <Sure hasPassword={hasPassword} username={username} />
      </Dialog>
    </section>
  );
}

function Sure({ hasPassword, username }: { hasPassword: boolean; username: string | null }) {
  const { signOut } = useAccount();
  const [{ fetching }, end] = useMutation(DELETE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const say = useToast();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const proof = String(new FormData(event.currentTarget).get("proof"));
    const { data, error } = await end({ input: hasPassword ? { password: proof } : { username: proof } });
    const problem = refusal(data?.deleteAccount, error);
    setWrong(problem);
    if (problem) return;
    say("Your account is deleted");
    signOut();
  };
  const told = wrong?.fields["password"] ?? wrong?.fields["username"];
  return (
    <form onSubmit={submit}>
      <p>There is no way back. Machines that back up with your keys will be refused.</p>
      {wrong && !told && <Failure message={wrong.message} />}
      <Field label={hasPassword ? "Your password" : `Type your username: ${username}`} wrong={told}>
        {(ids) => <input {...ids} name="proof" required type={hasPassword ? "password" : "text"} autoComplete={hasPassword ? "current-password" : "off"} />}
      </Field>
      <div className="row">
        <Button kind="danger" type="submit" isDisabled={fetching}>
          Delete it for good
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}
