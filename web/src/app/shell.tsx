// The frame around every page: where one can go, and whether the server is reachable.
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";

const PLACES = [
  { to: "/overview", name: "Overview" },
  { to: "/sessions", name: "Sessions" },
  { to: "/knowledge", name: "Knowledge" },
  { to: "/teams", name: "Teams" },
  { to: "/community", name: "Community" },
  { to: "/settings", name: "Settings" },
] as const;

export function Shell({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="bar">
        <Link to="/" className="brand">
          Teamlore
        </Link>
        <nav aria-label="Pages">
          {PLACES.map(({ to, name }) => (
            <Link key={to} to={to} aria-current={path.startsWith(to) ? "page" : undefined}>
              {name}
            </Link>
          ))}
          <a href="/graphiql">GraphiQL</a>
        </nav>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
