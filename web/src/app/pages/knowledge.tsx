// Search as you type, or the newest first; edit in place; deleting can be undone.
import { type FormEvent, useDeferredValue, useState } from "react";
import { useMutation, useQuery } from "urql";
import { useSearchParams } from "wouter";

import { type FragmentOf, graphql, readFragment } from "../graph";
import { type Refusal, refusal, said } from "../problems";
import { Ago, Button, Dialog, Empty, Failure, Field, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";

const ENTRY = graphql(`
  fragment Entry on KnowledgeEntry {
    id type summary details project tags timestamp
    author { id username email }
    team { id name }
  }
`);

const LATEST = graphql(
  `
    query Latest($after: Cursor) {
      knowledge(first: 30, after: $after) {
        nodes { ...Entry }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [ENTRY],
);

const SEARCH = graphql(
  `
    query Search($query: String!, $after: Cursor) {
      searchKnowledge(query: $query, first: 30, after: $after) {
        nodes { ...Entry }
        totalCount
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [ENTRY],
);

const CREATE = graphql(`
  mutation CreateKnowledge($input: CreateKnowledgeInput!) {
    createKnowledge(input: $input) {
      __typename
      ... on CreateKnowledgePayload { entry { id } }
      ... on InvalidInput { message problems { path message } }
      ... on Problem { message }
    }
  }
`);

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

export default function KnowledgePage() {
  const [params, setParams] = useSearchParams();
  const words = params.get("q") ?? "";
  const asked = useDeferredValue(words.trim());
  const [adding, setAdding] = useState(false);
  const setWords = (given: string) => setParams(given ? { q: given } : {}, { replace: true });
  return (
    <>
      <title>Knowledge · Teamlore</title>
      <div className="row">
        <h1 className="grow">Knowledge</h1>
        <Button kind="main" onPress={() => setAdding(true)}>
          Add an entry
        </Button>
      </div>
      <div className="search spaced" role="search">
        <input type="search" aria-label="Search" placeholder="Search what you and your teams learned" value={words} onChange={(e) => setWords(e.target.value)} />
      </div>
      {asked ? <Found key={asked} words={asked} /> : <Newest />}
      <Dialog title="A new entry" open={adding} onClose={() => setAdding(false)}>
        <NewEntry onDone={() => setAdding(false)} />
      </Dialog>
    </>
  );
}

function Newest() {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({ query: LATEST, variables: { after } });
  const retry = () => again({ requestPolicy: "network-only" });
  if (error && !data) return <Failure message={said(error)} retry={retry} />;
  if (!data) return <Loading what="entries" />;
  const { nodes, pageInfo } = data.knowledge;
  if (nodes.length === 0) return <Empty title="Nothing yet">What your Claude learns appears here once its client syncs.</Empty>;
  return <Entries entries={nodes} more={pageInfo.hasNextPage ? () => setAfter(pageInfo.endCursor) : null} busy={fetching} />;
}

function Found({ words }: { words: string }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({ query: SEARCH, variables: { query: words, after } });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="what matches" />;
  const { nodes, totalCount, pageInfo } = data.searchKnowledge;
  if (nodes.length === 0) return <Empty title="Nothing matches">Try fewer words, or another one.</Empty>;
  return (
    <>
      <p className="quiet small" role="status">
        {totalCount === 1 ? "1 entry" : `${totalCount} entries`}
      </p>
      <Entries entries={nodes} more={pageInfo.hasNextPage ? () => setAfter(pageInfo.endCursor) : null} busy={fetching} />
    </>
  );
}

interface EntriesProps {
  entries: readonly FragmentOf<typeof ENTRY>[];
  more: (() => void) | null;
  busy: boolean;
}

function Entries({ entries, more, busy }: EntriesProps) {
  return (
    <>
      <ul className="plain stack">
        {entries.map((given) => {
          const entry = readFragment(ENTRY, given);
          return <EntryCard key={entry.id} given={given} />;
        })}
      </ul>
      {more && (
        <div className="row spaced">
          <Button onPress={more} isDisabled={busy}>
            {busy ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </>
  );
}

function EntryCard({ given }: { given: FragmentOf<typeof ENTRY> }) {
  const entry = readFragment(ENTRY, given);
  const [gone, setGone] = useState(false);
  const [, remove] = useMutation(DELETE);
  const [, restore] = useMutation(RESTORE);
  const say = useToast();

  const putBack = async () => {
    setGone(false);
    const { data, error } = await restore({ input: { id: entry.id } });
    const problem = refusal(data?.restoreKnowledge, error);
    if (problem) say(problem.message);
  };
  const takeAway = async () => {
    setGone(true); // at once; put back when the server refuses
    const { data, error } = await remove({ input: { id: entry.id } });
    const problem = refusal(data?.deleteKnowledge, error);
    if (problem) {
      setGone(false);
      say(problem.message);
    } else say("Deleted", () => void putBack());
  };
  if (gone) return null;
  return (
    <li className="card">
      <div className="row small quiet">
        <span className="tag">{entry.type}</span>
        {entry.project && <span>{entry.project}</span>}
        {entry.team && <span>in {entry.team.name}</span>}
        <span className="grow">{entry.author?.username ?? entry.author?.email ?? "a former member"}</span>
        <Ago at={entry.timestamp} />
      </div>
      <p className="summary">{entry.summary}</p>
      {entry.details && (
        <details>
          <summary>Details</summary>
          <p className="pre">{entry.details}</p>
        </details>
      )}
      <div className="row">
        <span className="grow row">
          {entry.tags.map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))}
        </span>
        <Button onPress={() => void takeAway()} aria-label={`Delete: ${entry.summary}`}>
          Delete
        </Button>
      </div>
    </li>
  );
}

const TYPES = ["decision", "solution", "error_fix", "pattern"];

function NewEntry({ onDone }: { onDone: () => void }) {
  const [, create] = useMutation(CREATE);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const { data, error } = await create({
      input: {
        type: text("type"),
        summary: text("summary"),
        details: text("details") || null,
        project: text("project") || null,
        tags: text("tags").split(",").map((tag) => tag.trim()).filter(Boolean),
        timestamp: Date.now(),
      },
    });
    const problem = refusal(data?.createKnowledge, error);
    setWrong(problem);
    if (!problem) onDone();
  };
  return (
    <form onSubmit={submit}>
      {wrong && <Failure message={wrong.message} />}
      <Field label="Kind" wrong={wrong?.fields["type"]}>
        {(ids) => (
          <>
            <input {...ids} name="type" required list="kinds" defaultValue="decision" />
            <datalist id="kinds">
              {TYPES.map((type) => (
                <option key={type} value={type} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="What was learned, in a sentence" wrong={wrong?.fields["summary"]}>
        {(ids) => <input {...ids} name="summary" required />}
      </Field>
      <Field label="Details" wrong={wrong?.fields["details"]}>
        {(ids) => <textarea {...ids} name="details" />}
      </Field>
      <Field label="Project" wrong={wrong?.fields["project"]}>
        {(ids) => <input {...ids} name="project" />}
      </Field>
      <Field label="Tags" hint="Separated by commas." wrong={wrong?.fields["tags"]}>
        {(ids) => <input {...ids} name="tags" />}
      </Field>
      <div className="row">
        <Button kind="main" type="submit">
          Keep it
        </Button>
        <Button slot="close">Cancel</Button>
      </div>
    </form>
  );
}
