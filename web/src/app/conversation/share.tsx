// Sharing a session with a team: what the team is told, and for how long.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";

import { bytes } from "../amounts";
import { graphql } from "../graph";
import { type Refusal, refusal, said } from "../problems";
import { useQuery } from "../query";
import { Button, Empty, Failure, Field, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";

const TEAMS = graphql(`
  query TeamsToShareWith { teams { id name myRole } }
`);

const SHARE = graphql(`
  mutation ShareSession($input: ShareSessionInput!) {
    shareSession(input: $input) {
      __typename
      ... on ShareSessionPayload { sharedSession { id } }
      ... on InvalidInput { message problems { path message } }
      ... on NotFound { message }
      ... on Forbidden { message }
    }
  }
`);

type Fact = "TITLE" | "PROJECT" | "BRANCH" | "DIRECTORY" | "TIMES" | "SIZE";

export interface Shareable {
  id: string;
  name: string | null;
  title: string | null;
  projectName: string | null;
  gitBranch: string | null;
  workingDirectory: string | null;
  startedAt: string | null;
  conversationSize: number;
}

const FACTS: [Fact, string, (session: Shareable) => string | null][] = [
  ["TITLE", "Title", ({ name, title }) => name ?? title],
  ["PROJECT", "Project", ({ projectName }) => lastOf(projectName)],
  ["BRANCH", "Branch", ({ gitBranch }) => gitBranch],
  ["DIRECTORY", "Folder", ({ workingDirectory }) => lastOf(workingDirectory)],
  ["TIMES", "Times", ({ startedAt }) => startedAt && new Date(startedAt).toLocaleString()],
  ["SIZE", "Size", ({ conversationSize }) => bytes(conversationSize)],
];

function lastOf(path: string | null): string | null {
  return path?.split(/[\\/]/).filter(Boolean).at(-1) ?? null;
}

export function ShareForm({ session, onDone }: { session: Shareable; onDone: () => void }) {
  const [{ data, error }] = useQuery({ query: TEAMS });
  const [, share] = useMutation(SHARE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [shown, setShown] = useState<Fact[]>(FACTS.map(([name]) => name));
  const say = useToast();
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="your teams" />;
  const teams = data.teams.filter(({ myRole }) => myRole !== "VIEWER");
  if (teams.length === 0) return <Empty title="You are in no team">Found one first, on the page of teams.</Empty>;

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const until = text("until");
    const answer = await share({
      input: {
        id: session.id,
        teamId: text("team"),
        title: text("title") || null,
        note: text("note") || null,
        show: shown,
        expiresAt: until ? new Date(`${until}T23:59:59`).toISOString() : null,
      },
    });
    const problem = refusal(answer.data?.shareSession, answer.error);
    setWrong(problem);
    if (problem) return;
    say("Shared");
    onDone();
  };
  return (
    <form onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="Team" wrong={wrong?.fields["teamId"]}>
        {(ids) => (
          <select {...ids} name="team">
            {teams.map((team) => (
              <option key={team.id} value={team.id}>
                {team.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Called" hint="For the team, instead of its own title." wrong={wrong?.fields["title"]}>
        {(ids) => <input {...ids} name="title" maxLength={255} />}
      </Field>
      <Field label="A word about it" wrong={wrong?.fields["note"]}>
        {(ids) => <textarea {...ids} name="note" maxLength={2000} />}
      </Field>
      <fieldset>
        <legend>What the team sees</legend>
        {FACTS.map(([name, label, value]) => (
          <label key={name} className="row">
            <input
              type="checkbox"
              checked={shown.includes(name)}
              onChange={(e) => setShown((all) => (e.target.checked ? [...all, name] : all.filter((other) => other !== name)))}
            />
            <span>{label}</span>
            <span className="quiet small cut">{shown.includes(name) ? (value(session) ?? "not known") : "hidden"}</span>
          </label>
        ))}
        <p className="quiet small">The conversation itself, your notes and full paths are never shown.</p>
      </fieldset>
      <Field label="Until" hint="Left empty, until you take it back." wrong={wrong?.fields["expiresAt"]}>
        {(ids) => <input {...ids} name="until" type="date" />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Share it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}
