// What the team learned: how much this week and by whom, and the newest of it.
import { Link } from "wouter";

import { count } from "../amounts";
import { called } from "../people";
import { Ago } from "../ui/kit";

interface Entry {
  id: string;
  summary: string;
  type: string;
  timestamp: number;
}

interface LearnedProps {
  team: string;
  entries: readonly Entry[];
  weekly: readonly { author: { username: string | null; email: string | null } | null }[];
  many: number;
}

export function Learned({ team, entries, weekly, many }: LearnedProps) {
  return (
    <section aria-labelledby="learned">
      <div className="row">
        <h2 id="learned" className="grow">
          Learned this week
        </h2>
        <Link to={`/knowledge?team=${encodeURIComponent(team)}`}>All of it</Link>
      </div>
      <p className="quiet">{many === 0 ? (entries.length ? "Nothing in the last seven days. Before that:" : "Nothing yet.") : `${count(many, "entry", "entries")} in seven days: ${shares(weekly)}`}</p>
      <ul className="plain stack">
        {entries.map((entry) => (
          <li key={entry.id}>
            <Link className="entry" to={`/knowledge/${encodeURIComponent(entry.id)}`}>
              <span>{entry.summary}</span>
              <span className="row small quiet">
                <span className="tag">{entry.type}</span>
                <Ago at={entry.timestamp} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

// Who learned how much, the most first.
function shares(weekly: LearnedProps["weekly"]): string {
  const people = new Map<string, number>();
  for (const { author } of weekly) {
    const name = author ? called(author) : "former members";
    people.set(name, (people.get(name) ?? 0) + 1);
  }
  return [...people]
    .sort(([, a], [, b]) => b - a)
    .map(([name, many]) => `${name} ${many}`)
    .join(", ");
}
