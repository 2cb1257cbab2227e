// Who is in a team, and what whoever leads it may do about that.
import { useEffect, useState } from "react";
import { useMutation } from "urql";

import { graphql } from "../graph";
import { called } from "../people";
import { refusal } from "../problems";
import { Button, Dialog } from "../ui/kit";
import { useToast } from "../ui/toasts";

const CHANGE_ROLE = graphql(`
  mutation ChangeMemberRole($input: ChangeMemberRoleInput!) {
    changeMemberRole(input: $input) { __typename ... on Problem { message } }
  }
`);

const REMOVE = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) { __typename ... on Problem { message } }
  }
`);

const TRANSFER = graphql(`
  mutation TransferOwnership($input: TransferOwnershipInput!) {
    transferOwnership(input: $input) { __typename ... on Problem { message } }
  }
`);

export type Role = "OWNER" | "ADMIN" | "MEMBER" | "VIEWER";

export interface TeamOfMine {
  id: string;
  name: string;
  myRole: Role;
}

interface Member {
  role: Role;
  user: { id: string; username: string | null; email: string | null };
}

interface MembersProps {
  team: TeamOfMine;
  members: readonly Member[];
  me: string;
  onChanged: () => void;
}

// An admin's say ends below the admins.
function roles(team: TeamOfMine): Role[] {
  if (team.myRole === "OWNER") return ["ADMIN", "MEMBER", "VIEWER"];
  return team.myRole === "ADMIN" ? ["MEMBER", "VIEWER"] : [];
}

export function Members({ team, members, me, onChanged }: MembersProps) {
  const [asked, setAsked] = useState<{ what: "remove" | "transfer"; member: Member } | null>(null);
  const [, changeRole] = useMutation(CHANGE_ROLE);
  const [, remove] = useMutation(REMOVE);
  const [, transfer] = useMutation(TRANSFER);
  const say = useToast();
  const [wished, setWished] = useState<{ id: string; role: Role } | null>(null);
  useEffect(() => setWished(null), [members]);
  const mine = roles(team);

  // Shown as wished at once, and as it is again when the server refuses.
  const change = async ({ user, role: before }: Member, role: Role, undoing = false) => {
    setWished({ id: user.id, role });
    const { data, error } = await changeRole({ input: { teamId: team.id, userId: user.id, role } });
    const problem = refusal(data?.changeMemberRole, error);
    if (problem) {
      setWished(null);
      say(problem.message);
    } else say(`${called(user)} is ${role.toLowerCase()} now`, undoing ? undefined : () => void change({ user, role }, before, true));
    onChanged();
  };
  const confirmed = async () => {
    if (!asked) return;
    const input = { teamId: team.id, userId: asked.member.user.id };
    setAsked(null);
    if (asked.what === "remove") {
      const { data, error } = await remove({ input });
      say(refusal(data?.removeMember, error)?.message ?? `${called(asked.member.user)} is out of the team`);
    } else {
      const { data, error } = await transfer({ input });
      say(refusal(data?.transferOwnership, error)?.message ?? `${called(asked.member.user)} owns the team now`);
    }
    onChanged();
  };
  return (
    <section className="card" aria-labelledby="people">
      <h2 id="people">People</h2>
      <ul className="plain stack">
        {members.map((member) => {
          const { role, user } = member;
          const mayChange = user.id !== me && mine.includes(role);
          return (
            <li key={user.id} className="row">
              <span className={mayChange ? "whole cut" : "grow cut"} title={called(user)}>
                {called(user)}
                {user.id === me && <span className="quiet"> (you)</span>}
              </span>
              {mayChange ? (
                <select className="pick" aria-label={`Role of ${called(user)}`} value={wished?.id === user.id ? wished.role : role} onChange={(e) => void change(member, e.target.value as Role)}>
                  {mine.map((name) => (
                    <option key={name} value={name}>
                      {name.toLowerCase()}
                    </option>
                  ))}
                </select>
              ) : (
                <span className="tag">{role.toLowerCase()}</span>
              )}
              {mayChange && (
                <Button onPress={() => setAsked({ what: "remove", member })} aria-label={`Remove ${called(user)}`}>
                  Remove
                </Button>
              )}
              {team.myRole === "OWNER" && user.id !== me && (
                <Button onPress={() => setAsked({ what: "transfer", member })} aria-label={`Make owner: ${called(user)}`}>
                  Make owner
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      <Dialog
        title={asked?.what === "transfer" ? `Hand the team to ${called(asked.member.user)}?` : `Remove ${called(asked?.member.user)}?`}
        open={asked !== null}
        onClose={() => setAsked(null)}
      >
        <p>
          {asked?.what === "transfer"
            ? "A team has one owner. You become an admin, and only the new owner can hand it back."
            : "What they kept in the team stays there; they see it no more."}
        </p>
        <div className="row">
          <Button kind="danger" onPress={() => void confirmed()}>
            {asked?.what === "transfer" ? "Hand it over" : "Remove"}
          </Button>
          <Button slot="close">Cancel</Button>
        </div>
      </Dialog>
    </section>
  );
}
