// What is known of a session beside what was said.
import { Link } from "wouter";

import { bytes, compact, money, modelName, unpriced } from "../amounts";
import type { Opened } from "../pages/session";
import { Curate } from "./curate";
import { Shares } from "./shares";
import { TakeAway } from "./take-away";
import { Versions } from "./versions";

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

function Tokens({ session }: { session: Opened }) {
  const { usage } = session;
  const { total, byModelAndDay } = usage;
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
        {usage.costEstimate && (
          <>
            <dt>At list prices</dt>
            <dd title={unpriced(usage.costEstimate)}>about {money(usage.costEstimate)}</dd>
          </>
        )}
        {[...models].map(([model, written]) => (
          <div key={model} className="pair">
            <dt title={model}>{modelName(model)}</dt>
            <dd>{compact(written)} written</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Files({ session, file }: { session: Opened; file: string }) {
  const { files } = session;
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

function Facts({ session }: { session: Opened }) {
  const lines: [string, string][] = [
    ["Project", session.projectName ?? ""],
    ["Folders", session.folders.join("\n") || (session.workingDirectory ?? "")],
    ["Branches", session.gitBranches.join(", ") || (session.gitBranch ?? "")],
    ["Models", session.models.map(modelName).join(", ")],
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
