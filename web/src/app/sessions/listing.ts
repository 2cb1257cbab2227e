// The list of sessions as far as it was scrolled; whatever happens elsewhere renews its head.
import { useCallback, useEffect, useState } from "react";

import { useAsk } from "../ask";
import { type ResultOf, graphql } from "../graph";
import { type Asked, filterOf } from "./filters";

const SESSIONS = graphql(`
  query Sessions($filter: SessionFilter, $orderBy: SessionOrder!, $after: Cursor) {
    sessions(filter: $filter, orderBy: $orderBy, first: 50, after: $after) {
      nodes { id sessionId name title projectName gitBranch startedAt endedAt updatedAt conversationSize conversationLines tags }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type Session = ResultOf<typeof SESSIONS>["sessions"]["nodes"][number];

interface Listed {
  sessions: Session[];
  after: string | null;
  more: boolean;
}

export function useSessions(asked: Asked) {
  const ask = useAsk();
  const [listed, setListed] = useState<Listed | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const given = JSON.stringify(asked);

  const page = useCallback(
    async (after: string | null) => {
      const now: Asked = JSON.parse(given);
      return (await ask(SESSIONS, { filter: filterOf(now), orderBy: now.order, after })).sessions;
    },
    [ask, given],
  );
  const more = useCallback(async () => {
    if (busy || !listed?.more) return;
    setBusy(true);
    try {
      const { nodes, pageInfo } = await page(listed.after);
      setListed((before) => {
        const known = new Set(before?.sessions.map(({ id }) => id));
        const fresh = nodes.filter(({ id }) => !known.has(id));
        return { sessions: [...(before?.sessions ?? []), ...fresh], after: pageInfo.endCursor, more: pageInfo.hasNextPage };
      });
    } catch (error) {
      setFailed((error as Error).message);
    } finally {
      setBusy(false);
    }
  }, [busy, listed, page]);
  const renew = useCallback(async () => {
    try {
      const { nodes, pageInfo } = await page(null);
      setFailed(null);
      setListed((before) => {
        const whole = !before || before.sessions.length <= nodes.length || !pageInfo.hasNextPage;
        if (whole) return { sessions: nodes, after: pageInfo.endCursor, more: pageInfo.hasNextPage };
        const fresh = new Set(nodes.map(({ id }) => id));
        return { ...before, sessions: [...nodes, ...before.sessions.filter(({ id }) => !fresh.has(id))] };
      });
    } catch (error) {
      setFailed((error as Error).message);
    }
  }, [page]);
  const drop = useCallback(
    (id: string) => setListed((before) => before && { ...before, sessions: before.sessions.filter((session) => session.id !== id) }),
    [],
  );
  useEffect(() => void renew(), [renew]);
  return { listed, failed, busy, more, renew, drop };
}
