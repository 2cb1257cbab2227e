// Every page has an address of its own, and loads its own script when it is first opened.
import { Suspense, lazy } from "react";
import { Redirect, Route, Switch } from "wouter";

import { useAccount } from "./account";
import { HomePage } from "./pages/home";
import { Shell } from "./shell";
import { Loading } from "./ui/kit";

const OverviewPage = lazy(() => import("./pages/overview"));
const SessionsPage = lazy(() => import("./pages/sessions"));
const SessionPage = lazy(() => import("./pages/session"));
const CommunityPage = lazy(() => import("./pages/community"));
const InvitationPage = lazy(() => import("./pages/invitation"));
const KnowledgePage = lazy(() => import("./pages/knowledge"));
const EntryPage = lazy(() => import("./pages/knowledge").then(({ EntryPage: page }) => ({ default: page })));
const TeamsPage = lazy(() => import("./pages/teams"));
const TeamPage = lazy(() => import("./pages/team"));
const SettingsPage = lazy(() => import("./pages/settings"));

export function App() {
  const { signedIn } = useAccount();
  if (!signedIn) return <HomePage />;
  return (
    <Shell>
      <Suspense fallback={<Loading what="this page" />}>
        <Switch>
          <Route path="/overview" component={OverviewPage} />
          <Route path="/sessions" component={SessionsPage} />
          <Route path="/sessions/:id">{({ id }) => <SessionPage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/community" component={CommunityPage} />
          <Route path="/invitations/:token">{({ token }) => <InvitationPage token={decodeURIComponent(token)} />}</Route>
          <Route path="/knowledge" component={KnowledgePage} />
          <Route path="/knowledge/:id">{({ id }) => <EntryPage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/teams" component={TeamsPage} />
          <Route path="/teams/:id">{({ id }) => <TeamPage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/settings" component={SettingsPage} />
          <Route>
            <Redirect to="/overview" replace />
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  );
}
