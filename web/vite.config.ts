import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// One HTML file a page. Everything is fetched from the server that serves it: no CDN, and no inline
// script, so that the Content-Security-Policy can forbid both.
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false }, // the polyfill would be an inline script
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 5000, // GraphiQL's editor is one large chunk, of that page alone
    rolldownOptions: {
      input: ["index.html", "graphiql.html"],
      checks: { moduleLevelDirective: false }, // hints to React's compiler, which does not run here
    },
  },
});
