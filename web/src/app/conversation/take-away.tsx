// Downloads of a conversation, and the command that brings it back.
import { useDownload } from "../ask";
import type { Opened } from "../pages/session";
import { Button, Copied } from "../ui/kit";
import { useToast } from "../ui/toasts";

const FORMATS = [
  ["md", "Markdown"],
  ["html", "HTML"],
  ["json", "JSON"],
] as const;

export function TakeAway({ session }: { session: Opened }) {
  const download = useDownload();
  const say = useToast();
  const id = encodeURIComponent(session.sessionId);
  const take = (address: string, name: string) => void download(address, name).catch((error: Error) => say(error.message));
  if (session.conversationSize === 0) return null;
  const restore = `curl -fH "X-API-Key: $CSR_API_KEY" -o ${session.sessionId}.jsonl ${window.location.origin}/api/sessions/conversation/${id}`;
  return (
    <section className="card">
      <h2>Take it away</h2>
      <div className="row">
        <Button kind="main" onPress={() => take(`/api/sessions/conversation/${id}`, `${session.sessionId}.jsonl`)}>
          Download
        </Button>
        {FORMATS.map(([format, name]) => (
          <Button key={format} onPress={() => take(`/api/sessions/${id}/export?format=${format}`, `${session.sessionId}.${format}`)}>
            {name}
          </Button>
        ))}
      </div>
      <details>
        <summary>Bring it back by a command</summary>
        <Copied label="the command" text={restore} />
      </details>
    </section>
  );
}
