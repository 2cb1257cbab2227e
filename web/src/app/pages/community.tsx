// What independent people found alike: to browse, to search, and one's own part in it.
import { useDeferredValue, useState } from "react";
import { useMutation } from "urql";
import { useSearchParams } from "wouter";

import { count } from "../amounts";
import { type FeedEvent, useFeed } from "../feed";
import { type FragmentOf, graphql, readFragment } from "../graph";
import { refusal, said } from "../problems";
import { useQuery } from "../query";
import { Button, Dialog, Empty, Failure, Field, Live, Loading } from "../ui/kit";
import { useToast } from "../ui/toasts";

const PATTERN = graphql(`
  fragment Pattern on CommunityPattern {
    id type category approach platform tags effectiveness sharedBy numbersFrom lastSeen
  }
`);

const PATTERNS = graphql(
  `
    query Patterns($filter: PatternFilter, $orderBy: PatternOrder, $after: Cursor) {
      patterns(filter: $filter, orderBy: $orderBy, first: 30, after: $after) {
        nodes { ...Pattern }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [PATTERN],
);

const STATISTICS = graphql(`
  query PatternStatistics {
    patternStatistics { totalPatterns contributors margin lastSeen topCategories { category count } }
  }
`);

const MINE = graphql(`
  query Contributions($after: Cursor) {
    viewer {
      id
      contributions(first: 50, after: $after) {
        nodes { patternId category approach type countsFrom pattern { id sharedBy numbersFrom } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

const WITHDRAW = graphql(`
  mutation WithdrawContributions($input: WithdrawContributionsInput!) {
    withdrawContributions(input: $input) {
      __typename
      ... on WithdrawContributionsPayload { withdrawnIds }
      ... on Problem { message }
    }
  }
`);

const FEED = `
  subscription CommunityFeed($after: Cursor) {
    communityFeed(after: $after) { __typename cursor at }
  }
`;

const TYPES = ["SOLUTION", "ERROR_FIX", "DECISION", "PATTERN"] as const;
type PatternType = (typeof TYPES)[number];

export default function CommunityPage() {
  const [params, setParams] = useSearchParams();
  const get = (name: string) => params.get(name) ?? "";
  const set = (name: string, value: string) =>
    setParams(
      (before) => {
        const now = new URLSearchParams(before);
        if (value) now.set(name, value);
        else now.delete(name);
        return now;
      },
      { replace: true },
    );
  const words = useDeferredValue(get("q").trim());
  const type = TYPES.find((name) => name === get("type")) ?? null;
  const category = get("category");
  const [renewed, renew] = useState(0);
  const [news, setNews] = useState(0);
  const state = useFeed<FeedEvent>({ query: FEED, field: "communityFeed", variables: {}, onEvent: () => setNews((many) => many + 1) });
  return (
    <>
      <title>Community · Teamlore</title>
      <div className="row">
        <h1 className="grow">Community</h1>
        <Live state={state} />
      </div>
      <div className="search spaced" role="search">
        <input type="search" aria-label="Search patterns" placeholder="Search what works for others" value={get("q")} onChange={(e) => set("q", e.target.value)} />
      </div>
      <div className="columns">
        <section aria-labelledby="patterns">
          <div className="row">
            <h2 id="patterns" className="grow">
              Patterns
            </h2>
            <Field label="Kind">
              {(ids) => (
                <select {...ids} value={type ?? ""} onChange={(e) => set("type", e.target.value)}>
                  <option value="">every kind</option>
                  {TYPES.map((name) => (
                    <option key={name} value={name}>
                      {name.toLowerCase().replace("_", " ")}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          {category && (
            <p>
              Only <span className="tag">{category}</span>{" "}
              <Button kind="bare" onPress={() => set("category", "")}>
                show all
              </Button>
            </p>
          )}
          {news > 0 && (
            <p role="status">
              <Button
                onPress={() => {
                  setNews(0);
                  renew((times) => times + 1);
                }}
              >
                {count(news, "change")} since you look: show
              </Button>
            </p>
          )}
          <Patterns key={`${words} ${type} ${category} ${renewed}`} words={words} type={type} category={category} fresh={renewed > 0} />
        </section>
        <aside className="stack" aria-label="About the community">
          <Statistics onCategory={(name) => set("category", name)} />
          <Mine />
          <section className="card">
            <h2>Why nobody is named</h2>
            <p className="small">
              A pattern is shown only once at least three people who know nothing of each other have met it. Until then nobody but you can see
              yours. How many they are is told in steps, and when it was in weeks, so that no single person can be made out: that is what
              k-anonymity means, with a k of three. Addresses, paths, secrets and code are refused before they are kept.
            </p>
          </section>
        </aside>
      </div>
    </>
  );
}

function Patterns({ words, type, category, fresh }: { words: string; type: PatternType | null; category: string; fresh: boolean }) {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error, fetching }, again] = useQuery({
    query: PATTERNS,
    variables: { filter: { query: words || null, type, category: category || null }, orderBy: words ? "RELEVANCE" : "REACH", after },
    requestPolicy: fresh && after === null ? "cache-and-network" : "cache-first",
  });
  if (error && !data) return <Failure message={said(error)} retry={() => again({ requestPolicy: "network-only" })} />;
  if (!data) return <Loading what="patterns" />;
  const { nodes, pageInfo } = data.patterns;
  if (nodes.length === 0)
    return words || type || category ? (
      <Empty title="No pattern is like that">Try fewer words, or another kind.</Empty>
    ) : (
      <Empty title="Nothing is shared yet">Patterns appear here once three people have met the same one.</Empty>
    );
  return (
    <>
      <ul className="plain stack">
        {nodes.map((given) => (
          <PatternCard key={readFragment(PATTERN, given).id} given={given} />
        ))}
      </ul>
      {pageInfo.hasNextPage && (
        <div className="row spaced">
          <Button onPress={() => setAfter(pageInfo.endCursor)} isDisabled={fetching}>
            {fetching ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </>
  );
}

function shared(pattern: { sharedBy: number; numbersFrom: string | null }): string {
  return pattern.numbersFrom === null ? `shared by ${pattern.sharedBy} or more` : `shared by about ${pattern.sharedBy}`;
}

function PatternCard({ given }: { given: FragmentOf<typeof PATTERN> }) {
  const pattern = readFragment(PATTERN, given);
  return (
    <li className="card">
      <div className="row small quiet">
        <span className="tag">{pattern.type.toLowerCase().replace("_", " ")}</span>
        <span className="grow">{pattern.category}</span>
        <span>{shared(pattern)}</span>
      </div>
      <p className="summary">{pattern.approach}</p>
      <div className="row small">
        {pattern.platform && <span className="tag">{pattern.platform}</span>}
        {pattern.tags.map((tag) => (
          <span key={tag} className="tag">
            {tag}
          </span>
        ))}
        {pattern.effectiveness !== null && <span className="quiet">works {Math.round(pattern.effectiveness * 10)} times of 10</span>}
      </div>
    </li>
  );
}

function Statistics({ onCategory }: { onCategory: (name: string) => void }) {
  const [{ data, error }] = useQuery({ query: STATISTICS });
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="statistics" />;
  const { totalPatterns, contributors, margin, topCategories } = data.patternStatistics;
  return (
    <section className="card">
      <h2>In numbers</h2>
      <p>
        {count(totalPatterns, "pattern")} by {margin === null ? `${contributors} or more` : `about ${contributors}`} people.
      </p>
      {margin !== null && (
        <p className="quiet small">Numbers of people are drawn once a week, most often to within {margin}, so that they give nobody away.</p>
      )}
      <ul className="plain row">
        {topCategories.map((top) => (
          <li key={top.category}>
            <Button kind="bare" onPress={() => onCategory(top.category)}>
              {top.category} ({top.count})
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Mine() {
  const [after, setAfter] = useState<string | null>(null);
  const [{ data, error }, again] = useQuery({ query: MINE, variables: { after } });
  const [, withdraw] = useMutation(WITHDRAW);
  const [sure, setSure] = useState(false);
  const say = useToast();
  const take = async (input: { ids?: string[]; everything?: boolean }) => {
    setSure(false);
    const answer = await withdraw({ input: { ids: input.ids ?? null, everything: input.everything ?? false } });
    say(refusal(answer.data?.withdrawContributions, answer.error)?.message ?? "Withdrawn");
    setAfter(null);
    again({ requestPolicy: "network-only" });
  };
  if (error && !data) return <Failure message={said(error)} />;
  if (!data) return <Loading what="what you contributed" />;
  const { nodes, pageInfo } = data.viewer.contributions;
  return (
    <section className="card">
      <h2>What you contributed</h2>
      {nodes.length === 0 && <p className="quiet small">Nothing. A client contributes only when you ask it to.</p>}
      <ul className="plain stack">
        {nodes.map((mine) => (
          <li key={mine.patternId}>
            <span className="small quiet">{mine.pattern ? shared(mine.pattern) : "seen by you alone"}</span>
            <div className="row">
              <span className="grow small">
                {mine.category}: {mine.approach}
              </span>
              <Button onPress={() => void take({ ids: [mine.patternId] })} aria-label={`Withdraw: ${mine.approach}`}>
                Withdraw
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <div className="row spaced">
        {pageInfo.hasNextPage && <Button onPress={() => setAfter(pageInfo.endCursor)}>Show more</Button>}
        {nodes.length > 0 && (
          <Button kind="danger" onPress={() => setSure(true)}>
            Withdraw everything
          </Button>
        )}
      </div>
      <Dialog title="Withdraw all that you contributed?" open={sure} onClose={() => setSure(false)}>
        <p>Patterns that too few others share are shown no more. This cannot be undone.</p>
        <div className="row">
          <Button kind="danger" onPress={() => void take({ everything: true })}>
            Withdraw everything
          </Button>
          <Button slot="close">Cancel</Button>
        </div>
      </Dialog>
    </section>
  );
}
