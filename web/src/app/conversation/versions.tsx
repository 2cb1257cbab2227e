// The versions of a conversation, each to be downloaded.
import { bytes, count } from "../amounts";
import { useDownload } from "../ask";
import type { Opened } from "../pages/session";
import { Ago, Button } from "../ui/kit";
import { useToast } from "../ui/toasts";

export function Versions({ session }: { session: Opened }) {
  const download = useDownload();
  const say = useToast();
  if (session.versions.length === 0) return null;
  const address = `/api/sessions/conversation/${encodeURIComponent(session.sessionId)}`;
  return (
    <section className="card">
      <h2>Versions</h2>
      <ol className="plain">
        {session.versions.toReversed().map(({ number, size, lines, updatedAt }) => (
          <li key={number} className="row">
            <Button
              kind="bare"
              aria-label={`${number}: download this version`}
              onPress={() => void download(`${address}?version=${number}`, `${session.sessionId}.${number}.jsonl`).catch((error: Error) => say(error.message))}
            >
              {number}
            </Button>
            <span className="grow small">
              {count(lines, "line")}, {bytes(size)}
            </span>
            <span className="small quiet">
              <Ago at={updatedAt} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
