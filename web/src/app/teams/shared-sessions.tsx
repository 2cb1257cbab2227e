// What members show the team of their sessions.
import { useState } from "react";
import { useMutation } from "urql";
import { Link } from "wouter";

import { count } from "../amounts";
import { graphql } from "../graph";
import { called } from "../people";
import { refusal } from "../problems";
import { Ago, Button } from "../ui/kit";
import { useToast } from "../ui/toasts";

const UNSHARE = graphql(`
  mutation UnshareFromTeam($input: UnshareSessionInput!) {
    unshareSession(input: $input) { __typename ... on Problem { message } }
  }
`);

interface Shared {
  id: string;
  title: string | null;
  projectName: string | null;
  gitBranch: string | null;
  note: string | null;
  sharedAt: string;
  expiresAt: string | null;
  conversationLines: number | null;
  sessionNodeId: string;
  sharedBy: { id: string; username: string | null; email: string | null } | null;
}

export function SharedSessions({ sessions, me, onChanged }: { sessions: readonly Shared[]; me: string; onChanged: () => void }) {
  const [, unshare] = useMutation(UNSHARE);
  const say = useToast();
  const [gone, setGone] = useState<readonly string[]>([]);
  // Gone at once; back when the server refuses.
  const end = async (id: string) => {
    setGone((before) => [...before, id]);
    const { data, error } = await unshare({ input: { id } });
    const problem = refusal(data?.unshareSession, error);
    if (problem) setGone((before) => before.filter((other) => other !== id));
    say(problem?.message ?? "The team sees it no more");
    onChanged();
  };
  const shown = sessions.filter(({ id }) => !gone.includes(id));
  return (
    <section aria-labelledby="shared">
      <h2 id="shared">Shared sessions</h2>
      {shown.length === 0 && <p className="quiet">None yet: a session's page has a button for it.</p>}
      <ul className="plain stack">
        {shown.map((session) => {
          const mine = session.sharedBy?.id === me;
          const title = session.title ?? "A session without a title";
          return (
            <li key={session.id} className="card">
              <div className="row">
                <span className="grow strong">{mine ? <Link to={`/sessions/${encodeURIComponent(session.sessionNodeId)}`}>{title}</Link> : title}</span>
                {mine && (
                  <Button onPress={() => void end(session.id)} aria-label={`Take back: ${title}`}>
                    Take back
                  </Button>
                )}
              </div>
              {session.note && <p className="pre">{session.note}</p>}
              <div className="row small quiet">
                <span>{called(session.sharedBy)}</span>
                {session.projectName && <span className="tag">{session.projectName}</span>}
                {session.gitBranch && <code>{session.gitBranch}</code>}
                {session.conversationLines !== null && <span>{count(session.conversationLines, "line")}</span>}
                <span className="grow" />
                <Ago at={session.sharedAt} />
                {session.expiresAt && <span>until {new Date(session.expiresAt).toLocaleDateString()}</span>}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
