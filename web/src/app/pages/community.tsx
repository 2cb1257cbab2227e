// What independent people found alike: to browse, to search, and one's own part in it.
import { useDeferredValue, useState } from "react";
import { useSearchParams } from "wouter";

import { count } from "../amounts";
import { Mine } from "../community/mine";
import { Patterns, TYPES } from "../community/patterns";
import { Statistics } from "../community/statistics";
import { type FeedEvent, useFeed } from "../feed";
import { Button, Field, Live } from "../ui/kit";

const FEED = `
  subscription CommunityFeed($after: Cursor) {
    communityFeed(after: $after) { __typename cursor at }
  }
`;

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
  const state = useFeed<FeedEvent>({ query: FEED, field: "communityFeed", variables: {}, scopes: [], onEvent: () => setNews((many) => many + 1) });
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
