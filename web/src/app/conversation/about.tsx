// What is known of a session beside what was said: tokens, versions, files, shares, ways to take it away.
import { useEffect, useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";

import { bytes, compact, count } from "../amounts";
import { useDownload } from "../ask";
import { authorization } from "../../credential";
import { useAccount } from "../account";
import { graphql } from "../graph";
import { refusal } from "../problems";
import { Ago, Button, Copied, Dialog } from "../ui/kit";
import { useToast } from "../ui/toasts";
import type { Opened } from "../pages/session";
import { Curate } from "./curate";
import { ShareForm } from "./share";

const UNSHARE = graphql(`
  mutation UnshareSession($input: UnshareSessionInput!) {
    unshareSession(input: $input) { __typename ... on Problem { message } }
  }
`);

export function About({ session, file, onChanged }: { session: Opened; file: string; onChanged: () => void }) {
  return (
    <aside className="stack" aria-label="About this session">
      <TakeAway session={session} />
      <Tokens session={session} />
      <Files session={session} file={file} />
      <Versions session={session} />
      <Shares session={session} onChanged={onChanged} />
      <Facts session={session} />
    </aside>
  );
}

const FORMATS = [
  ["md", "Markdown"],
  ["html", "HTML"],
  ["json", "JSON"],
] as const;

function TakeAway({ session }: { session: Opened }) {
  const download = useDownload();
  const say = useToast();
  const id = encodeURIComponent(session.sessionId);
  const take = (address: string, name: string) => void download(address, name).catch((error: Error) => say(error.message));
  if (session.conversationSize === 0) return null;
  const restore = `curl -fH "X-API-Key: $CSR_API_KEY" -o ${session.sessionId}.jsonl ${window.location.origin}/api/sessions/conversation/${id}`;
  return (
    <section className="card">
      <h2>Take it away</h2>
      <div className="row">
        <Button kind="main" onPress={() => take(`/api/sessions/conversation/${id}`, `${session.sessionId}.jsonl`)}>
          Download
        </Button>
        {FORMATS.map(([format, name]) => (
          <Button key={format} onPress={() => take(`/api/sessions/${id}/export?format=${format}`, `${session.sessionId}.${format}`)}>
            {name}
          </Button>
        ))}
      </div>
      <details>
        <summary>Bring it back by a command</summary>
        <Copied label="the command" text={restore} />
      </details>
    </section>
  );
}

function Tokens({ session }: { session: Opened }) {
  const { total, byModelAndDay } = session.usage;
  const models = new Map<string, number>();
  for (const { model, tokens } of byModelAndDay) models.set(model, (models.get(model) ?? 0) + tokens.output);
  return (
    <section className="card">
      <h2>Tokens</h2>
      <dl className="facts">
        <dt>Answers</dt>
        <dd>{compact(total.messages)}</dd>
        <dt>Read anew</dt>
        <dd>{compact(total.input)}</dd>
        <dt>Written</dt>
        <dd>{compact(total.output)}</dd>
        <dt>Into the cache</dt>
        <dd>{compact(total.cacheCreation)}</dd>
        <dt>Out of the cache</dt>
        <dd>{compact(total.cacheRead)}</dd>
        {[...models].map(([model, written]) => (
          <div key={model} className="pair">
            <dt>{model}</dt>
            <dd>{compact(written)} written</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface StoredFile {
  path: string;
  size: number;
  lines: number;
}

// The server tells of further files by its REST address only.
function Files({ session, file }: { session: Opened; file: string }) {
  const { credential } = useAccount();
  const [files, setFiles] = useState<StoredFile[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    fetch(`/api/sessions/${encodeURIComponent(session.sessionId)}/files`, { headers: authorization(credential), signal: gone.signal })
      .then((answer) => (answer.ok ? answer.json() : { files: [] }))
      .then((answer: { files: StoredFile[] }) => setFiles(answer.files))
      .catch(() => {});
    return () => gone.abort();
  }, [session.sessionId, credential]);
  if (files.length === 0) return null;
  const here = `/sessions/${encodeURIComponent(session.id)}`;
  return (
    <section className="card">
      <h2>Subagents and files</h2>
      <ul className="plain">
        <li>
          <Link to={here} aria-current={file === "" ? "page" : undefined}>
            The conversation
          </Link>
        </li>
        {files.map(({ path, size }) => (
          <li key={path} className="row">
            {path.endsWith(".jsonl") ? (
              <Link className="grow cut" to={`${here}?${new URLSearchParams({ file: path })}`} aria-current={file === path ? "page" : undefined}>
                {path}
              </Link>
            ) : (
              <span className="grow cut">{path}</span>
            )}
            <span className="small quiet">{bytes(size)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Versions({ session }: { session: Opened }) {
  const download = useDownload();
  const say = useToast();
  if (session.versions.length === 0) return null;
  const address = `/api/sessions/conversation/${encodeURIComponent(session.sessionId)}`;
  return (
    <section className="card">
      <h2>Versions</h2>
      <ol className="plain">
        {session.versions.toReversed().map(({ number, size, lines, updatedAt }) => (
          <li key={number} className="row">
            <Button
              kind="bare"
              aria-label={`${number}: download this version`}
              onPress={() => void download(`${address}?version=${number}`, `${session.sessionId}.${number}.jsonl`).catch((error: Error) => say(error.message))}
            >
              {number}
            </Button>
            <span className="grow small">
              {count(lines, "line")}, {bytes(size)}
            </span>
            <span className="small quiet">
              <Ago at={updatedAt} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Shares({ session, onChanged }: { session: Opened; onChanged: () => void }) {
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

function Facts({ session }: { session: Opened }) {
  const lines: [string, string][] = [
    ["Project", session.projectName ?? ""],
    ["Folders", session.folders.join("\n") || (session.workingDirectory ?? "")],
    ["Branches", session.gitBranches.join(", ") || (session.gitBranch ?? "")],
    ["Models", session.models.join(", ")],
    ["Claude Code", session.claudeVersions.join(", ")],
    ["Records", session.counts.map(({ kind, count: many }) => `${many} ${kind || "not JSON"}`).join(", ")],
    ["Tags", session.tags.join(", ")],
    ["Notes", session.notes ?? ""],
    ["Id", session.sessionId],
  ];
  return (
    <section className="card">
      <h2>Known of it</h2>
      <dl className="facts">
        {lines
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name} className="pair">
              <dt>{name}</dt>
              <dd className="pre">{value}</dd>
            </div>
          ))}
      </dl>
      <Curate session={session} />
    </section>
  );
}
