// Inviting somebody; the link is shown this once, as the server keeps only its digest.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { refusal, said } from "../problems";
import { useQuery } from "../query";
import { Ago, Button, Copied, Failure, Field, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { Role, TeamOfMine } from "./members";

const INVITATIONS = graphql(`
  query TeamInvitations($id: ID!) {
    team(id: $id) { id invitations(first: 100) { nodes { id email role createdAt expiresAt } } }
  }
`);

const INVITE = graphql(`
  mutation InviteToTeam($input: InviteToTeamInput!) {
    inviteToTeam(input: $input) {
      __typename
      ... on InviteToTeamPayload { memberId invitationToken expiresAt }
      ... on InvalidInput { message problems { path message } }
      ... on NotFound { message }
      ... on Forbidden { message }
      ... on Conflict { message }
    }
  }
`);

const REVOKE = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) { __typename ... on InvalidInput { message } ... on NotFound { message } ... on Forbidden { message } }
  }
`);

export function Invitations({ team, onChanged }: { team: TeamOfMine; onChanged: () => void }) {
  const [{ data, error }, again] = useQuery({ query: INVITATIONS, variables: { id: team.id } });
  const [, invite] = useMutation(INVITE);
  const [, revoke] = useMutation(REVOKE);
  const [link, setLink] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string>();
  const say = useToast();
  const renew = () => again({ requestPolicy: "network-only" });

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const email = String(given.get("email")).trim();
    const answer = await invite({ input: { teamId: team.id, email, role: String(given.get("role")) as Role } });
    const result = answer.data?.inviteToTeam;
    const problem = refusal(result, answer.error);
    setWrong(problem?.fields["email"] ?? problem?.message);
    if (result?.__typename !== "InviteToTeamPayload") return;
    form.reset();
    if (result.invitationToken) setLink(`${window.location.origin}/invitations/${encodeURIComponent(result.invitationToken)}`);
    else say(`${email} is in the team now`);
    renew();
    onChanged();
  };
  const end = async (id: string) => {
    const answer = await revoke({ input: { id } });
    say(refusal(answer.data?.revokeInvitation, answer.error)?.message ?? "The link leads nowhere now");
    renew();
  };
  return (
    <section className="card" aria-labelledby="invitations">
      <h2 id="invitations">Invitations</h2>
      {error && !data && <Failure message={said(error)} retry={renew} />}
      {!data && !error && <Loading what="invitations" />}
      <ul className="plain stack">
        {data?.team?.invitations.nodes.map((invitation) => (
          <li key={invitation.id} className="row">
            <span className="whole cut" title={invitation.email}>
              {invitation.email}
            </span>
            <span className="tag">{invitation.role.toLowerCase()}</span>
            <span className="grow small quiet">
              ends <Ago at={invitation.expiresAt} />
            </span>
            <Button onPress={() => void end(invitation.id)} aria-label={`Revoke the invitation of ${invitation.email}`}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
      {link && (
        <div className="spaced">
          <p>Send this link; it works once and is shown this once.</p>
          <Copied label="the invitation link" text={link} />
        </div>
      )}
      <form className="spaced" onSubmit={submit}>
        <Field label="Invite by e-mail address" hint="Who has an account is in at once; others get a link from you." wrong={wrong}>
          {(ids) => <input {...ids} name="email" type="email" required />}
        </Field>
        <Field label="As">
          {(ids) => (
            <select {...ids} name="role" defaultValue="MEMBER">
              {team.myRole === "OWNER" && <option value="ADMIN">admin</option>}
              <option value="MEMBER">member</option>
              <option value="VIEWER">viewer</option>
            </select>
          )}
        </Field>
        <Button kind="main" type="submit">
          Invite
        </Button>
      </form>
    </section>
  );
}
