// What is shown when a page itself fails: the rest of the tab stays usable after a reload.
import { Component, type ReactNode } from "react";

export class Failures extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <main>
        <h1>This page has failed</h1>
        <p className="failure" role="alert">
          {this.state.error.message}
        </p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Load it again
        </button>
      </main>
    );
  }
}
