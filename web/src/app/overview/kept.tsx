// Where sessions come from, and how much room they take here.
import { Link } from "wouter";

import { bytes, count } from "../amounts";
import { Ago } from "../ui/kit";

interface Machine {
  id: string;
  name: string;
  revoked: boolean;
  sessions: number;
  conversationBytes: number;
  lastBackupAt: string;
}

interface KeptProps {
  usage: { conversationBytes: number; versionBytes: number };
  machines: readonly Machine[];
}

export function Kept({ usage, machines }: KeptProps) {
  return (
    <div className="halves spaced">
      <section className="card" aria-labelledby="machines">
        <h2 id="machines">Machines</h2>
        {machines.length === 0 && <p className="quiet small">None yet. Each API key that backs sessions up is one: make one for each machine.</p>}
        <ul className="plain stack">
          {machines.map(({ id, name, revoked, sessions, conversationBytes, lastBackupAt }) => (
            <li key={id} className="row">
              <Link className="grow cut" to={`/sessions?${new URLSearchParams({ machine: id })}`}>
                {name}
              </Link>
              {revoked && <span className="tag">key revoked</span>}
              <span className="small quiet">
                {count(sessions, "session")}, {bytes(conversationBytes)}, <Ago at={lastBackupAt} />
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section className="card" aria-labelledby="storage">
        <h2 id="storage">Storage</h2>
        <dl className="facts">
          <dt>Conversations</dt>
          <dd>{bytes(usage.conversationBytes)}</dd>
          <dt>All versions</dt>
          <dd>{bytes(usage.versionBytes)}</dd>
        </dl>
        <p className="quiet small">As their files measure; what versions have in common is kept once, and compressed.</p>
      </section>
    </div>
  );
}
