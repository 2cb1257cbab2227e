// The teams that see a session, and sharing it with another.
import { useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import type { Opened } from "../pages/session";
import { refusal } from "../problems";
import { Button, Dialog } from "../ui/kit";
import { useToast } from "../ui/toasts";
import { ShareForm } from "./share";

const UNSHARE = graphql(`
  mutation UnshareSession($input: UnshareSessionInput!) {
    unshareSession(input: $input) { __typename ... on Problem { message } }
  }
`);

export function Shares({ session, onChanged }: { session: Opened; onChanged: () => void }) {
  const [open, setOpen] = useState(false);
  const [, unshare] = useMutation(UNSHARE);
  const say = useToast();
  const end = async (id: string) => {
    const { data, error } = await unshare({ input: { id } });
    say(refusal(data?.unshareSession, error)?.message ?? "The team sees it no more");
    onChanged();
  };
  return (
    <section className="card">
      <div className="row">
        <h2 className="grow">Shared with</h2>
        <Button onPress={() => setOpen(true)}>Share</Button>
      </div>
      {session.shares.length === 0 && <p className="quiet small">Nobody: only you see it.</p>}
      <ul className="plain">
        {session.shares.map(({ id, team, expiresAt }) => (
          <li key={id} className="row">
            <span className="grow">{team?.name}</span>
            {expiresAt && <span className="small quiet">until {new Date(expiresAt).toLocaleDateString()}</span>}
            <Button aria-label={`Take back from ${team?.name}`} onPress={() => void end(id)}>
              Take back
            </Button>
          </li>
        ))}
      </ul>
      <Dialog title="Share this session" open={open} onClose={() => setOpen(false)}>
        <ShareForm
          session={session}
          onDone={() => {
            setOpen(false);
            onChanged();
          }}
        />
      </Dialog>
    </section>
  );
}
