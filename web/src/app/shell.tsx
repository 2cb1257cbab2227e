// The frame around every page: where one can go, and whether the server is reachable.
import { type ReactNode, Suspense, lazy, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import { Button } from "./ui/kit";

// The palette and its lists load when it is first opened.
const Palette = lazy(() => import("./ui/palette"));

export const PLACES = [
  { to: "/overview", name: "Overview" },
  { to: "/sessions", name: "Sessions" },
  { to: "/knowledge", name: "Knowledge" },
  { to: "/teams", name: "Teams" },
  { to: "/community", name: "Community" },
  { to: "/settings", name: "Settings" },
] as const;

export function Shell({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const [palette, setPalette] = useState(false);
  const content = useRef<HTMLElement>(null);
  const before = useRef(path);

  useEffect(() => {
    document.querySelector('.bar [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
    if (before.current === path) return;
    before.current = path; // another page: readers begin at its top, keys at its content
    content.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [path]);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPalette((open) => !open);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);

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
        <Button aria-label="Go to (Ctrl K)" onPress={() => setPalette(true)}>
          Go to
        </Button>
      </header>
      <main id="content" tabIndex={-1} ref={content}>
        <Offline />
        {children}
      </main>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}

function Offline() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    window.addEventListener("online", look);
    window.addEventListener("offline", look);
    return () => {
      window.removeEventListener("online", look);
      window.removeEventListener("offline", look);
    };
  }, []);
  if (online) return null;
  return (
    <p className="failure" role="alert">
      You are offline. What is on the page stays readable, and goes on by itself once you are back.
    </p>
  );
}
