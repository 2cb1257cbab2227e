// Ctrl/Cmd-K: one box that leads anywhere. Arrows choose, Enter goes, Escape closes.
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";

import { useQuery } from "../query";
import { graphql } from "../graph";
import { PLACES } from "../shell";
import { Dialog } from "./kit";

const FIND = graphql(`
  query Find($text: String!, $words: String!, $searched: Boolean!) {
    teams { id name }
    sessions(filter: { text: $text }, first: 6) { nodes { id name title sessionId projectName } }
    searchKnowledge(query: $words, first: 6) @include(if: $searched) { nodes { id summary type } }
  }
`);

interface Choice {
  kind: string;
  name: string;
  to: string;
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const asked = useDeferredValue(words.trim());
  const [{ data }] = useQuery({ query: FIND, variables: { text: asked, words: asked || "x", searched: asked !== "" } });
  const [, go] = useLocation();
  const list = useId();
  const box = useRef<HTMLUListElement>(null);

  const choices = useMemo<Choice[]>(() => {
    const like = (name: string) => name.toLowerCase().includes(asked.toLowerCase());
    const pages = PLACES.filter(({ name }) => like(name)).map(({ to, name }) => ({ kind: "page", name, to }));
    const teams = (data?.teams ?? []).filter(({ name }) => like(name)).map(({ id, name }) => ({ kind: "team", name, to: `/teams/${encodeURIComponent(id)}` }));
    const sessions = (data?.sessions.nodes ?? []).map((session) => ({
      kind: "session",
      name: session.name ?? session.title ?? session.sessionId,
      to: `/sessions/${encodeURIComponent(session.id)}`,
    }));
    const entries = (data?.searchKnowledge?.nodes ?? []).map(({ summary }) => ({
      kind: "knowledge",
      name: summary,
      to: `/knowledge?${new URLSearchParams({ q: asked })}`,
    }));
    const deeper = asked ? [{ kind: "search", name: `Conversations with “${asked}”`, to: `/sessions?${new URLSearchParams({ q: asked })}` }] : [];
    return [...pages, ...teams, ...sessions, ...entries, ...deeper];
  }, [data, asked]);

  useEffect(() => setChosen(0), [asked]);
  useEffect(() => {
    box.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const open = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    go(choice.to);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen((now) => Math.min(now + 1, choices.length - 1));
    else if (event.key === "ArrowUp") setChosen((now) => Math.max(now - 1, 0));
    else if (event.key === "Enter") open(choices[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" open onClose={onClose}>
      <div className="search">
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={choices.length ? `${list}-${chosen}` : undefined}
          aria-label="Go to a page, team, session or entry"
          placeholder="A page, team, session or entry"
          value={words}
          onChange={(e) => setWords(e.target.value)}
          onKeyDown={pressed}
        />
      </div>
      <ul className="plain palette" role="listbox" id={list} aria-label="Where to" ref={box}>
        {choices.map((choice, place) => (
          <li
            key={`${choice.kind} ${choice.to} ${choice.name}`}
            id={`${list}-${place}`}
            role="option"
            aria-selected={place === chosen}
            onMouseMove={() => setChosen(place)}
            onClick={() => open(choice)}
          >
            <span className="grow cut">{choice.name}</span>
            <span className="small quiet">{choice.kind}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && <p className="quiet">Nothing is called so.</p>}
    </Dialog>
  );
}
