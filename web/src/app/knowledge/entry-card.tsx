// An entry and all that can be done with it; what its reader may not do is not offered.
import { useState } from "react";
import { Link } from "wouter";

import { type FragmentOf, readFragment } from "../graph";
import { called } from "../people";
import { Fragments } from "../ui/fragments";
import { Ago, Button, Dialog } from "../ui/kit";
import { useDeleting } from "./deleting";
import { type Draft, Edit } from "./edit";
import { ENTRY } from "./entry";
import { Pin, Star } from "./marks";
import { Move } from "./move";
import { Source } from "./source";
import { Tags } from "./tags";

interface Fragment {
  text: string;
  hit: boolean;
}

interface CardProps {
  given: FragmentOf<typeof ENTRY>;
  me: string;
  summary?: readonly Fragment[];
  details?: readonly Fragment[];
  similar?: boolean;
}

export function EntryCard({ given, me, summary, details, similar }: CardProps) {
  const entry = readFragment(ENTRY, given);
  const mine = entry.author?.id === me;
  const mayWrite = entry.team ? entry.team.myRole !== "VIEWER" : mine;
  const mayDelete = mine || entry.team?.myRole === "OWNER" || entry.team?.myRole === "ADMIN";
  const [editing, setEditing] = useState(false);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [moving, setMoving] = useState(false);
  const { gone, takeAway } = useDeleting(entry.id);
  const hit = details?.some((piece) => piece.hit);
  if (gone) return null;
  return (
    <li className="card">
      <div className="row small quiet">
        <span className="tag">{entry.type}</span>
        {entry.pinnedAt && <span className="tag">pinned</span>}
        {similar && <span className="tag">similar</span>}
        {entry.project && <span>{entry.project}</span>}
        {entry.team && <span>in {entry.team.name}</span>}
        <span className="grow">{entry.author ? called(entry.author) : "a former member"}</span>
        <Ago at={entry.timestamp} />
      </div>
      {editing && (
        <div hidden={draft !== null}>
          <Edit entry={entry} onDraft={setDraft} onDone={() => setEditing(false)} />
        </div>
      )}
      {(!editing || draft) && (
        <>
          <p className="summary">
            <Link to={`/knowledge/${encodeURIComponent(entry.id)}`} className="plain-link">
              {summary?.length && !draft ? <Fragments pieces={summary} /> : (draft?.summary ?? entry.summary)}
            </Link>
          </p>
          {hit && details && (
            <p className="snippet small">
              <Fragments pieces={details} />
            </p>
          )}
          {(draft?.details ?? entry.details) && (
            <details>
              <summary>Details</summary>
              <p className="pre">{draft?.details ?? entry.details}</p>
            </details>
          )}
        </>
      )}
      <Tags entry={entry} mayWrite={mayWrite} />
      <div className="row actions">
        <Star entry={entry} />
        {mayWrite && <Pin entry={entry} />}
        {mine && !editing && (
          <Button onPress={() => setEditing(true)} aria-label={`Edit: ${entry.summary}`}>
            Edit
          </Button>
        )}
        {mine && (
          <Button onPress={() => setMoving(true)} aria-label={`Move: ${entry.summary}`}>
            Move
          </Button>
        )}
        <Source entry={entry} />
        {mayDelete && (
          <Button end onPress={() => void takeAway()} aria-label={`Delete: ${entry.summary}`}>
            Delete
          </Button>
        )}
      </div>
      <Dialog title="Move the entry" open={moving} onClose={() => setMoving(false)}>
        <Move entry={entry} onDone={() => setMoving(false)} />
      </Dialog>
    </li>
  );
}
