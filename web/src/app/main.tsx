import "./ui/theme.css";
import "./ui/kit.css";
import "./shell.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { AccountProvider } from "./account";
import { App } from "./app";
import { Failures } from "./ui/failures";
import { Toasts } from "./ui/toasts";

// Before the first paint, so that nothing flashes.
const theme = localStorage.getItem("teamlore.theme");
if (theme) document.documentElement.dataset["theme"] = theme;

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <Failures>
        <AccountProvider>
          <Toasts>
            <App />
          </Toasts>
        </AccountProvider>
      </Failures>
    </StrictMode>,
  );
