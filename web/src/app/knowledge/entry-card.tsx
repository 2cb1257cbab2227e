// An entry and all that can be done with it; what its reader may not do is not offered.
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";

import { type FragmentOf, type ResultOf, graphql, readFragment } from "../graph";
import { called } from "../people";
import { type Refusal, refusal } from "../problems";
import { useQuery } from "../query";
import { Fragments } from "../ui/fragments";
import { Ago, Button, Dialog, Failure, Field } from "../ui/kit";
import { useToast } from "../ui/toasts";
import { ENTRY } from "./entry";

const DELETE = graphql(`
  mutation DeleteKnowledge($input: DeleteKnowledgeInput!) {
    deleteKnowledge(input: $input) { __typename ... on Problem { message } }
  }
`);

const RESTORE = graphql(`
  mutation RestoreKnowledge($input: RestoreKnowledgeInput!) {
    restoreKnowledge(input: $input) { __typename ... on Problem { message } }
  }
`);

const STAR = graphql(`
  mutation StarKnowledge($input: StarKnowledgeInput!) {
    starKnowledge(input: $input) { __typename ... on StarKnowledgePayload { entry { id starred } } ... on Problem { message } }
  }
`);

const UNSTAR = graphql(`
  mutation UnstarKnowledge($input: UnstarKnowledgeInput!) {
    unstarKnowledge(input: $input) { __typename ... on UnstarKnowledgePayload { entry { id starred } } ... on Problem { message } }
  }
`);

const PIN = graphql(`
  mutation PinKnowledge($input: PinKnowledgeInput!) {
    pinKnowledge(input: $input) { __typename ... on PinKnowledgePayload { entry { id pinnedAt } } ... on Problem { message } }
  }
`);

const UNPIN = graphql(`
  mutation UnpinKnowledge($input: UnpinKnowledgeInput!) {
    unpinKnowledge(input: $input) { __typename ... on UnpinKnowledgePayload { entry { id pinnedAt } } ... on Problem { message } }
  }
`);

const TAG = graphql(`
  mutation TagKnowledge($input: TagKnowledgeInput!) {
    tagKnowledge(input: $input) {
      __typename
      ... on TagKnowledgePayload { entry { id tags } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateKnowledge($input: UpdateKnowledgeInput!) {
    updateKnowledge(input: $input) {
      __typename
      ... on UpdateKnowledgePayload { entry { id summary details } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const MOVE = graphql(`
  mutation MoveKnowledge($input: MoveKnowledgeInput!) {
    moveKnowledge(input: $input) {
      __typename
      ... on MoveKnowledgePayload { entry { id team { id name myRole } } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

const PLACES = graphql(`
  query PlacesToMoveTo { teams { id name myRole } }
`);

const SOURCE = graphql(`
  query Source($sessionId: String!) { session(sessionId: $sessionId) { id } }
`);

export type Entry = ResultOf<typeof ENTRY>;

interface Fragment {
  text: string;
  hit: boolean;
}

interface CardProps {
  given: FragmentOf<typeof ENTRY>;
  me: string;
  summary?: readonly Fragment[];
  details?: readonly Fragment[];
  similar?: boolean;
}

export function EntryCard({ given, me, summary, details, similar }: CardProps) {
  const entry = readFragment(ENTRY, given);
  const mine = entry.author?.id === me;
  const mayWrite = entry.team ? entry.team.myRole !== "VIEWER" : mine;
  const mayDelete = mine || entry.team?.myRole === "OWNER" || entry.team?.myRole === "ADMIN";
  const [editing, setEditing] = useState(false);
  const [moving, setMoving] = useState(false);
  const { gone, takeAway } = useDeleting(entry.id);
  const hit = details?.some((piece) => piece.hit);
  if (gone) return null;
  return (
    <li className="card">
      <div className="row small quiet">
        <span className="tag">{entry.type}</span>
        {entry.pinnedAt && <span className="tag">pinned</span>}
        {similar && <span className="tag">similar</span>}
        {entry.project && <span>{entry.project}</span>}
        {entry.team && <span>in {entry.team.name}</span>}
        <span className="grow">{entry.author ? called(entry.author) : "a former member"}</span>
        <Ago at={entry.timestamp} />
      </div>
      {editing ? (
        <Edit entry={entry} onDone={() => setEditing(false)} />
      ) : (
        <>
          <p className="summary">
            <Link to={`/knowledge/${encodeURIComponent(entry.id)}`} className="plain-link">
              {summary?.length ? <Fragments pieces={summary} /> : entry.summary}
            </Link>
          </p>
          {hit && details && (
            <p className="snippet small">
              <Fragments pieces={details} />
            </p>
          )}
          {entry.details && (
            <details>
              <summary>Details</summary>
              <p className="pre">{entry.details}</p>
            </details>
          )}
        </>
      )}
      <Tags entry={entry} mayWrite={mayWrite} />
      <div className="row actions">
        <Star entry={entry} />
        {mayWrite && <Pin entry={entry} />}
        {mine && !editing && (
          <Button onPress={() => setEditing(true)} aria-label={`Edit: ${entry.summary}`}>
            Edit
          </Button>
        )}
        {mine && (
          <Button onPress={() => setMoving(true)} aria-label={`Move: ${entry.summary}`}>
            Move
          </Button>
        )}
        {entry.sessionId && mine && <Source sessionId={entry.sessionId} />}
        <span className="grow" />
        {mayDelete && (
          <Button onPress={() => void takeAway()} aria-label={`Delete: ${entry.summary}`}>
            Delete
          </Button>
        )}
      </div>
      <Dialog title="Move the entry" open={moving} onClose={() => setMoving(false)}>
        <Move entry={entry} onDone={() => setMoving(false)} />
      </Dialog>
    </li>
  );
}

// Gone at once; put back when the server refuses, or when it was undone.
function useDeleting(id: string) {
  const [gone, setGone] = useState(false);
  const [, remove] = useMutation(DELETE);
  const [, restore] = useMutation(RESTORE);
  const say = useToast();
  const putBack = async () => {
    setGone(false);
    const { data, error } = await restore({ input: { id } });
    const problem = refusal(data?.restoreKnowledge, error);
    if (problem) say(problem.message);
  };
  const takeAway = async () => {
    setGone(true);
    const { data, error } = await remove({ input: { id } });
    const problem = refusal(data?.deleteKnowledge, error);
    if (problem) {
      setGone(false);
      say(problem.message);
    } else say("Deleted", () => void putBack());
  };
  return { gone, takeAway };
}

// Shown as wished at once, and as it is again when the server refuses.
function Star({ entry }: { entry: Entry }) {
  const [wish, setWish] = useState<boolean | null>(null);
  const [, star] = useMutation(STAR);
  const [, unstar] = useMutation(UNSTAR);
  const say = useToast();
  const on = wish ?? entry.starred;
  const turn = async () => {
    setWish(!on);
    const input = { id: entry.id };
    const problem = on
      ? await unstar({ input }).then(({ data, error }) => refusal(data?.unstarKnowledge, error))
      : await star({ input }).then(({ data, error }) => refusal(data?.starKnowledge, error));
    setWish(null);
    if (problem) say(problem.message);
  };
  return (
    <Button onPress={() => void turn()} aria-pressed={on} aria-label={`Star: ${entry.summary}`}>
      {on ? "★" : "☆"} Star
    </Button>
  );
}

function Pin({ entry }: { entry: Entry }) {
  const [wish, setWish] = useState<boolean | null>(null);
  const [, pin] = useMutation(PIN);
  const [, unpin] = useMutation(UNPIN);
  const say = useToast();
  const on = wish ?? entry.pinnedAt !== null;
  const turn = async () => {
    setWish(!on);
    const input = { id: entry.id };
    const problem = on
      ? await unpin({ input }).then(({ data, error }) => refusal(data?.unpinKnowledge, error))
      : await pin({ input }).then(({ data, error }) => refusal(data?.pinKnowledge, error));
    setWish(null);
    if (problem) say(problem.message);
  };
  return (
    <Button onPress={() => void turn()} aria-pressed={on} aria-label={`Pin: ${entry.summary}`}>
      Pin{on ? "ned" : ""}
    </Button>
  );
}

function Tags({ entry, mayWrite }: { entry: Entry; mayWrite: boolean }) {
  const [, tag] = useMutation(TAG);
  const [adding, setAdding] = useState(false);
  const say = useToast();
  const change = async (change: { add?: string[]; remove?: string[] }) => {
    const { data, error } = await tag({ input: { id: entry.id, ...change } });
    const problem = refusal(data?.tagKnowledge, error);
    if (problem) say(Object.values(problem.fields)[0] ?? problem.message);
  };
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get("tag")).trim();
    setAdding(false);
    if (given) void change({ add: [given] });
  };
  return (
    <div className="row small">
      {entry.tags.map((name) => (
        <span key={name} className="tag">
          {name}
          {mayWrite && (
            <Button kind="bare" aria-label={`Take the tag ${name} away`} onPress={() => void change({ remove: [name] })}>
              ×
            </Button>
          )}
        </span>
      ))}
      {mayWrite &&
        (adding ? (
          <form onSubmit={add}>
            <input className="pick" name="tag" autoFocus aria-label="New tag" maxLength={100} onBlur={() => setAdding(false)} />
          </form>
        ) : (
          <Button kind="bare" onPress={() => setAdding(true)} aria-label={`Add a tag: ${entry.summary}`}>
            Add a tag
          </Button>
        ))}
    </div>
  );
}

function Edit({ entry, onDone }: { entry: Entry; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { data, error } = await update({
      input: { id: entry.id, summary: String(form.get("summary")), details: String(form.get("details")) || null },
    });
    const problem = refusal(data?.updateKnowledge, error);
    setWrong(problem);
    if (!problem) onDone();
  };
  return (
    <form className="spaced" onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="What was learned" wrong={wrong?.fields["summary"]}>
        {(ids) => <input {...ids} name="summary" required autoFocus defaultValue={entry.summary} />}
      </Field>
      <Field label="Details" wrong={wrong?.fields["details"]}>
        {(ids) => <textarea {...ids} name="details" defaultValue={entry.details ?? ""} />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Keep it
        </Button>
        <Button onPress={onDone}>Cancel</Button>
      </div>
    </form>
  );
}

function Move({ entry, onDone }: { entry: Entry; onDone: () => void }) {
  const [{ data: places }] = useQuery({ query: PLACES });
  const [, move] = useMutation(MOVE);
  const [wrong, setWrong] = useState<string>();
  const say = useToast();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const teamId = String(new FormData(event.currentTarget).get("team")) || null;
    const { data, error } = await move({ input: { id: entry.id, teamId } });
    const problem = refusal(data?.moveKnowledge, error);
    setWrong(problem?.fields["teamId"] ?? problem?.message);
    if (problem) return;
    say("Moved");
    onDone();
  };
  return (
    <form onSubmit={submit}>
      <Field label="To" hint="Whoever is in the team sees it; alone, only you do." wrong={wrong}>
        {(ids) => (
          <select {...ids} name="team" defaultValue={entry.team?.id ?? ""} key={places ? "known" : "asked"}>
            <option value="">yourself alone</option>
            {places?.teams
              .filter(({ myRole }) => myRole !== "VIEWER")
              .map((team) => (
                <option key={team.id} value={team.id}>
                  {team.name}
                </option>
              ))}
          </select>
        )}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Move it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}

// The conversation that it came from, when that is backed up here.
function Source({ sessionId }: { sessionId: string }) {
  const [{ data }] = useQuery({ query: SOURCE, variables: { sessionId } });
  if (!data?.session) return null;
  return <Link to={`/sessions/${encodeURIComponent(data.session.id)}`}>Its conversation</Link>;
}
