// What narrows the list of sessions; all of it is in the page's address.
import { graphql } from "../graph";
import { useQuery } from "../query";
import { Field } from "../ui/kit";

const MACHINES = graphql(`
  query Machines { viewer { id machines { id name revoked sessions } } }
`);

type Order = "UPDATED" | "STARTED" | "SIZE";

const ORDERS: [Order, string][] = [
  ["UPDATED", "Last changed first"],
  ["STARTED", "Last begun first"],
  ["SIZE", "Largest first"],
];
const DAY_MS = 86_400_000;

export interface Asked {
  text: string;
  project: string;
  branch: string;
  machine: string;
  since: string;
  until: string;
  conversation: string;
  order: Order;
}

export function askedOf(params: URLSearchParams): Asked {
  const get = (name: string) => (params.get(name) ?? "").trim();
  return {
    text: get("text"),
    project: get("project"),
    branch: get("branch"),
    machine: get("machine"),
    since: get("since"),
    until: get("until"),
    conversation: get("conversation"),
    order: ORDERS.find(([name]) => name === get("order"))?.[0] ?? "UPDATED",
  };
}

export function filterOf({ text, project, branch, machine, since, until, conversation }: Asked) {
  return {
    text: text || null,
    project: project || null,
    branch: branch || null,
    machine: machine || null,
    since: midnight(since, 0),
    until: midnight(until, 1),
    hasConversation: conversation ? conversation === "yes" : null,
  };
}

// The instant at which a day here begins, or the day after it; nothing for what is no day.
function midnight(day: string, later: number): string | null {
  const begun = Date.parse(`${day}T00:00:00`);
  return Number.isNaN(begun) ? null : new Date(begun + later * DAY_MS).toISOString();
}

interface FiltersProps {
  get: (name: string) => string;
  set: (name: string, value: string) => void;
  /** Searching what was said is narrowed by the project and the days alone. */
  searching: boolean;
}

export function Filters({ get, set, searching }: FiltersProps) {
  return (
    <form className="filters" aria-label="Filters" onSubmit={(e) => e.preventDefault()}>
      <Written label="Project" name="project" get={get} set={set} />
      {!searching && (
        <>
          <Written label="Name or title" name="text" get={get} set={set} />
          <Written label="Branch" name="branch" get={get} set={set} />
          <Machine value={get("machine")} set={set} />
        </>
      )}
      <Written label="From" name="since" type="date" get={get} set={set} />
      <Written label="To" name="until" type="date" get={get} set={set} />
      {!searching && (
        <>
          <Field label="Conversation">
            {(ids) => (
              <select {...ids} value={get("conversation")} onChange={(e) => set("conversation", e.target.value)}>
                <option value="">with or without</option>
                <option value="yes">backed up</option>
                <option value="no">not backed up</option>
              </select>
            )}
          </Field>
          <Field label="Order">
            {(ids) => (
              <select {...ids} value={get("order") || "UPDATED"} onChange={(e) => set("order", e.target.value)}>
                {ORDERS.map(([name, label]) => (
                  <option key={name} value={name}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </>
      )}
    </form>
  );
}

interface WrittenProps {
  label: string;
  name: string;
  type?: "date";
  get: (name: string) => string;
  set: (name: string, value: string) => void;
}

function Written({ label, name, type, get, set }: WrittenProps) {
  return <Field label={label}>{(ids) => <input {...ids} type={type ?? "text"} value={get(name)} onChange={(e) => set(name, e.target.value)} />}</Field>;
}

function Machine({ value, set }: { value: string; set: (name: string, value: string) => void }) {
  const [{ data }] = useQuery({ query: MACHINES, requestPolicy: "cache-and-network" });
  const machines = data?.viewer.machines ?? [];
  return (
    <Field label="Machine">
      {(ids) => (
        <select {...ids} value={value} onChange={(e) => set("machine", e.target.value)}>
          <option value="">every one</option>
          {value && !machines.some(({ id }) => id === value) && <option value={value}>another one</option>}
          {machines.map(({ id, name, sessions }) => (
            <option key={id} value={id}>
              {name} ({sessions})
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
