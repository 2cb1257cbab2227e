// Tokens and their cost by day, model and project.
import { Suspense, lazy, useMemo, useState } from "react";

import { compact, count, modelName, money, unpriced } from "../amounts";
import { graphql } from "../graph";
import { said } from "../problems";
import { useQuery } from "../query";
import { Empty, Failure, Field, Loading } from "../ui/kit";

// The chart and its library come after the numbers.
const DayChart = lazy(() => import("./day-chart"));

const SPENT = graphql(`
  fragment Spent on TokenUsageGroup @_unmask {
    name
    tokens { messages input output cacheCreation cacheRead }
    costEstimate { amount currency unpricedModels }
  }
`);

const TOKENS = graphql(
  `
  query Tokens($from: Date) {
    viewer {
      id
      byDay: tokenUsage(by: DAY, from: $from) { ...Spent }
      byModel: tokenUsage(by: MODEL, from: $from) { ...Spent }
      byProject: tokenUsage(by: PROJECT, from: $from) { ...Spent }
    }
  }
`,
  [SPENT],
);

const SPANS = [7, 30, 90, 365];

export function Tokens() {
  const [span, setSpan] = useState(30);
  const from = useMemo(() => new Date(Date.now() - (span - 1) * 86_400_000).toISOString().slice(0, 10), [span]);
  const [{ data, error }, again] = useQuery({ query: TOKENS, variables: { from } });
  return (
    <section className="card spaced" aria-labelledby="tokens">
      <div className="row">
        <h2 id="tokens" className="grow">
          Tokens and what they cost
        </h2>
        <Field label="Of the last">
          {(ids) => (
            <select {...ids} value={span} onChange={(e) => setSpan(Number(e.target.value))}>
              {SPANS.map((days) => (
                <option key={days} value={days}>
                  {days} days
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {error && !data && <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />}
      {!data && !error && <Loading what="tokens" />}
      {data && <TokensOf {...data.viewer} from={from} />}
    </section>
  );
}

interface Group {
  name: string | null;
  tokens: { messages: number; input: number; output: number; cacheCreation: number; cacheRead: number };
  costEstimate: { amount: number; currency: string; unpricedModels: readonly string[] } | null;
}

interface Groups {
  byDay: Group[];
  byModel: Group[];
  byProject: Group[];
}

function TokensOf({ byDay, byModel, byProject, from }: Groups & { from: string }) {
  const days = useMemo(() => byDay.flatMap(({ name, tokens }) => (name ? [{ day: name, ...tokens }] : [])), [byDay]);
  if (byDay.length === 0) return <Empty title="No answers in this time">Tokens are counted once a conversation is backed up and read.</Empty>;
  const whole = inAll(byModel);
  return (
    <>
      {whole && (
        <p title={unpriced(whole)}>
          About <strong>{money(whole)}</strong> <span className="quiet small">at the models' public prices: an estimate, no bill.</span>
        </p>
      )}
      <Suspense fallback={<Loading what="the chart" />}>
        <DayChart days={days} from={from} />
      </Suspense>
      <details>
        <summary>The same as a table</summary>
        <Table caption="Tokens by day" groups={byDay} />
      </details>
      <div className="halves spaced">
        <Table caption="By model" groups={byModel} />
        <Table caption="By project" groups={byProject} />
      </div>
    </>
  );
}

// What all groups cost together; nothing when no price is known.
function inAll(groups: Group[]) {
  const known = groups.flatMap(({ costEstimate }) => costEstimate ?? []);
  if (!known[0]) return null;
  const without = groups.flatMap(({ name, costEstimate }) => costEstimate?.unpricedModels ?? [name ?? "unknown"]);
  return { amount: known.reduce((sum, { amount }) => sum + amount, 0), currency: known[0].currency, unpricedModels: [...new Set(without)] };
}

function Table({ caption, groups }: { caption: string; groups: Group[] }) {
  return (
    <div className="scrolls" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Answers</th>
            <th scope="col">Read</th>
            <th scope="col">Written</th>
            <th scope="col">Cached</th>
            <th scope="col">About</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, tokens, costEstimate }) => (
            <tr key={name}>
              <th scope="row" className="cut" title={name ?? undefined}>
                {name === null ? "unknown" : modelName(name)}
              </th>
              <td title={count(tokens.messages, "answer")}>{compact(tokens.messages)}</td>
              <td>{compact(tokens.input)}</td>
              <td>{compact(tokens.output)}</td>
              <td>{compact(tokens.cacheCreation + tokens.cacheRead)}</td>
              <td title={costEstimate ? unpriced(costEstimate) : "The price is not known"}>{costEstimate ? money(costEstimate) : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
