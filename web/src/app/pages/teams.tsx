import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";

import { graphql } from "../graph";
import { called } from "../people";
import { refusal, said } from "../problems";
import { useQuery } from "../query";
import { Ago, Button, Empty, Failure, Field, Loading } from "../ui/kit";

const TEAMS = graphql(`
  query Teams {
    teams { id name myRole createdAt members(first: 1) { totalCount } }
  }
`);

const INVITED = graphql(`
  query Invited {
    viewer { id invitations(first: 20) { nodes { id teamName role expiresAt inviter { id username email } } } }
  }
`);

const CREATE_TEAM = graphql(`
  mutation CreateTeam($input: CreateTeamInput!) {
    createTeam(input: $input) {
      __typename
      ... on CreateTeamPayload { team { id name myRole createdAt } }
      ... on InvalidInput { message problems { path message } }
    }
  }
`);

export default function TeamsPage() {
  const [{ data, error, fetching }, again] = useQuery({ query: TEAMS });
  return (
    <>
      <title>Teams · Teamlore</title>
      <h1>Teams</h1>
      {error && !data && <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />}
      {fetching && !data && <Loading what="your teams" />}
      {data?.teams.length === 0 && <Empty title="You are in no team yet">Found one below, or ask somebody for an invitation.</Empty>}
      <ul className="plain stack">
        {data?.teams.map((team) => (
          <li key={team.id} className="card row">
            <Link className="grow strong" to={`/teams/${encodeURIComponent(team.id)}`}>
              {team.name}
            </Link>
            <span className="quiet small">{team.members.totalCount === 1 ? "1 person" : `${team.members.totalCount} people`}</span>
            <span className="tag">{team.myRole.toLowerCase()}</span>
            <span className="quiet small">
              since <Ago at={team.createdAt} />
            </span>
          </li>
        ))}
      </ul>
      <Invited />
      <NewTeam onMade={() => again({ requestPolicy: "network-only" })} />
    </>
  );
}

// To join takes the link: anybody may claim an address.
function Invited() {
  const [{ data }] = useQuery({ query: INVITED, requestPolicy: "cache-and-network" });
  const invitations = data?.viewer.invitations.nodes ?? [];
  if (invitations.length === 0) return null;
  return (
    <section className="card spaced" aria-labelledby="invited">
      <h2 id="invited">You are invited</h2>
      <p className="quiet small">To join, open the link that whoever invited you has got: ask them for it.</p>
      <ul className="plain stack">
        {invitations.map(({ id, teamName, role, expiresAt, inviter }) => (
          <li key={id} className="row">
            <strong className="grow">{teamName}</strong>
            <span className="small quiet">by {called(inviter)}</span>
            <span className="tag">{role.toLowerCase()}</span>
            <span className="small quiet">
              ends <Ago at={expiresAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function NewTeam({ onMade }: { onMade: () => void }) {
  const [, create] = useMutation(CREATE_TEAM);
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data, error } = await create({ input: { name } });
    const problem = refusal(data?.createTeam, error);
    setWrong(problem?.fields["name"] ?? problem?.message);
    if (problem) return;
    setName("");
    onMade();
  };
  return (
    <form className="card spaced" onSubmit={submit}>
      <h2>Found a team</h2>
      <Field label="Name" wrong={wrong}>
        {(ids) => <input {...ids} required maxLength={255} value={name} onChange={(e) => setName(e.target.value)} />}
      </Field>
      <Button kind="main" type="submit">
        Found it
      </Button>
    </form>
  );
}
