// The conversation that an entry came from, at what was said when it was learned.
import { Link } from "wouter";

import type { Entry } from "./entry";

export function Source({ entry }: { entry: Entry }) {
  if (!entry.session) return null;
  const at = new URLSearchParams({ at: new Date(entry.timestamp).toISOString() });
  return <Link to={`/sessions/${encodeURIComponent(entry.session.id)}?${at}`}>Where it was said</Link>;
}
