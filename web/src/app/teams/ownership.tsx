// Renaming, leaving and deleting a team.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useLocation } from "wouter";

import { graphql } from "../graph";
import { refusal } from "../problems";
import { Button, Dialog, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { TeamOfMine } from "./members";

const RENAME = graphql(`
  mutation RenameTeam($input: RenameTeamInput!) {
    renameTeam(input: $input) {
      __typename
      ... on RenameTeamPayload { team { id name } }
      ... on InvalidInput { message problems { path message } }
      ... on NotFound { message }
      ... on Forbidden { message }
    }
  }
`);

const LEAVE = graphql(`
  mutation LeaveTeam($input: LeaveTeamInput!) {
    leaveTeam(input: $input) { __typename ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

const DELETE = graphql(`
  mutation DeleteTeam($input: DeleteTeamInput!) {
    deleteTeam(input: $input) { __typename ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

export function Ownership({ team, onChanged }: { team: TeamOfMine; onChanged: () => void }) {
  const [asked, setAsked] = useState<"rename" | "leave" | "delete" | null>(null);
  const close = () => setAsked(null);
  const owns = team.myRole === "OWNER";
  return (
    <section className="card" aria-labelledby="team">
      <h2 id="team">The team</h2>
      <div className="row">
        {(owns || team.myRole === "ADMIN") && <Button onPress={() => setAsked("rename")}>Rename</Button>}
        {!owns && (
          <Button kind="danger" onPress={() => setAsked("leave")}>
            Leave
          </Button>
        )}
        {owns && (
          <Button kind="danger" onPress={() => setAsked("delete")}>
            Delete
          </Button>
        )}
      </div>
      {owns && <p className="quiet small spaced">To leave a team that you own, make somebody else its owner first.</p>}
      <Dialog title={`Rename ${team.name}`} open={asked === "rename"} onClose={close}>
        <Rename
          team={team}
          onDone={() => {
            close();
            onChanged();
          }}
        />
      </Dialog>
      <Dialog title={`Leave ${team.name}?`} open={asked === "leave"} onClose={close}>
        <Leave team={team} />
      </Dialog>
      <Dialog title={`Delete ${team.name}?`} open={asked === "delete"} onClose={close}>
        <Delete team={team} />
      </Dialog>
    </section>
  );
}

function Rename({ team, onDone }: { team: TeamOfMine; onDone: () => void }) {
  const [, rename] = useMutation(RENAME);
  const [wrong, setWrong] = useState<string>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name"));
    const { data, error } = await rename({ input: { teamId: team.id, name } });
    const problem = refusal(data?.renameTeam, error);
    setWrong(problem?.fields["name"] ?? problem?.message);
    if (!problem) onDone();
  };
  return (
    <form onSubmit={submit}>
      <Field label="Name" wrong={wrong}>
        {(ids) => <input {...ids} name="name" required maxLength={255} defaultValue={team.name} />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Rename it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}

function Leave({ team }: { team: TeamOfMine }) {
  const [, leave] = useMutation(LEAVE);
  const [wrong, setWrong] = useState<string | null>(null);
  const [, go] = useLocation();
  const say = useToast();
  const sure = async () => {
    const { data, error } = await leave({ input: { teamId: team.id } });
    const problem = refusal(data?.leaveTeam, error);
    if (problem) return setWrong(problem.message);
    say(`You have left ${team.name}`);
    go("/teams", { replace: true });
  };
  return (
    <>
      {wrong && <Failure message={wrong} />}
      <p>What you kept in it stays there. To come back you need a new invitation.</p>
      <div className="row">
        <Button kind="danger" onPress={() => void sure()}>
          Leave it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </>
  );
}

function Delete({ team }: { team: TeamOfMine }) {
  const [, remove] = useMutation(DELETE);
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [, go] = useLocation();
  const say = useToast();
  const sure = async () => {
    const { data, error } = await remove({ input: { teamId: team.id } });
    const problem = refusal(data?.deleteTeam, error);
    if (problem) return setWrong(problem.message);
    say(`${team.name} is deleted`);
    go("/teams", { replace: true });
  };
  return (
    <>
      {wrong && <Failure message={wrong} />}
      <p>The team ends for everybody in it, and this cannot be undone.</p>
      <Field label={`Type its name: ${team.name}`}>{(ids) => <input {...ids} value={typed} onChange={(e) => setTyped(e.target.value)} />}</Field>
      <div className="row">
        <Button kind="danger" isDisabled={typed !== team.name} onPress={() => void sure()}>
          Delete it for everybody
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </>
  );
}
