// Short notes at the edge of the page, with something to undo where there is something to undo.
import { type ReactNode, createContext, useCallback, useContext, useMemo, useRef, useState } from "react";

import { Button } from "./kit";

interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

type Say = (text: string, undo?: () => void) => void;

const SHOWN_MS = 8000;
const ToastContext = createContext<Say>(() => {});

export function useToast(): Say {
  return useContext(ToastContext);
}

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(1);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const say = useCallback<Say>(
    (text, undo) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-3), { id, text, ...(undo && { undo }) }]);
      setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  const value = useMemo(() => say, [say]);
  return (
    <ToastContext value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, text, undo }) => (
          <div className="toast" key={id}>
            <span>{text}</span>
            {undo && (
              <Button
                onPress={() => {
                  undo();
                  drop(id);
                }}
              >
                Undo
              </Button>
            )}
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
