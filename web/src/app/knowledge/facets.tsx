// What there is to narrow the list by, with how much each would leave.
import { useEffect } from "react";

import { useQuery } from "../query";
import { graphql } from "../graph";
import { called } from "../people";
import { Field } from "../ui/kit";

const FACETS = graphql(`
  query KnowledgeFacets($teamId: ID, $filter: KnowledgeFilter) {
    knowledgeFacets(teamId: $teamId, filter: $filter) {
      types { value count }
      projects { value count }
      tags { value count }
      authors { count authorId author { id username email } }
    }
    teams { id name }
  }
`);

export interface Narrowed {
  type: string;
  project: string;
  tag: string;
  author: string;
  team: string;
  only: string;
}

export function filterOf({ type, project, tag, author, only }: Narrowed) {
  return {
    type: type || null,
    project: project || null,
    tags: tag ? [tag] : null,
    authorId: author || null,
    pinned: only === "pinned" ? true : null,
    starred: only === "starred" ? true : null,
    everyTeam: true,
  };
}

interface FacetsProps {
  narrowed: Narrowed;
  set: (name: string, value: string) => void;
  /** How often something changed elsewhere: each time the figures are asked for again. */
  news: number;
}

export function Facets({ narrowed, set, news }: FacetsProps) {
  const [{ data }, again] = useQuery({ query: FACETS, variables: { teamId: narrowed.team || null, filter: filterOf(narrowed) } });
  useEffect(() => {
    if (news) again({ requestPolicy: "network-only" });
  }, [news, again]);
  const facets = data?.knowledgeFacets;
  const counted = (all: readonly { value: string; count: number }[] | undefined) =>
    (all ?? []).map(({ value, count }) => ({ value, label: `${value} (${count})` }));
  const people = (facets?.authors ?? []).map(({ authorId, author, count }) => ({ value: authorId, label: `${called(author)} (${count})` }));
  const teams = (data?.teams ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <form className="filters" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
      <Choice label="Team" name="team" value={narrowed.team} options={teams} set={set} />
      <Choice label="Kind" name="type" value={narrowed.type} options={counted(facets?.types)} set={set} />
      <Choice label="Project" name="project" value={narrowed.project} options={counted(facets?.projects)} set={set} />
      <Choice label="Tag" name="tag" value={narrowed.tag} options={counted(facets?.tags)} set={set} />
      <Choice label="By" name="author" value={narrowed.author} options={people} set={set} />
      <Choice
        label="Only"
        name="only"
        value={narrowed.only}
        options={[
          { value: "pinned", label: "pinned" },
          { value: "starred", label: "starred by me" },
        ]}
        set={set}
      />
    </form>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  value: string;
  options: { value: string; label: string }[];
  set: (name: string, value: string) => void;
}

function Choice({ label, name, value, options, set }: ChoiceProps) {
  const missing = value !== "" && !options.some((option) => option.value === value);
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} value={value} onChange={(e) => set(name, e.target.value)}>
          <option value="">all</option>
          {missing && <option value={value}>{value}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
