// The small parts that pages are made of. Behaviour (focus, keys, screen readers) is React Aria's.
import { type ReactNode, useEffect, useId, useState } from "react";
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Dialog as AriaDialog,
  Heading,
  Modal,
  ModalOverlay,
} from "react-aria-components";

interface ButtonProps extends AriaButtonProps {
  kind?: "main" | "danger" | "bare";
  /** At the far end of its row. */
  end?: boolean;
}

export function Button({ kind, end, ...props }: ButtonProps) {
  return <AriaButton {...props} className={`${kind === "bare" ? "bare" : "button"}${end ? " end" : ""}`} {...(kind && { "data-kind": kind })} />;
}

interface FieldProps {
  label: string;
  hint?: string;
  wrong?: string | undefined;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}

// A labelled control with its hint and what is wrong with it, tied together for screen readers.
export function Field({ label, hint, wrong, children }: FieldProps) {
  const id = useId();
  const about = wrong ? `${id}-wrong` : hint ? `${id}-hint` : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(about && { "aria-describedby": about }), ...(wrong && { "aria-invalid": true as const }) })}
      {hint && !wrong && (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {wrong && (
        <span className="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status" aria-label={`Loading ${what}`}>
      <i />
      <i />
      <i />
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({ message, retry }: { message: string; retry?: () => void }) {
  return (
    <div className="failure row" role="alert">
      <span className="grow">{message}</span>
      {retry && <Button onPress={retry}>Try again</Button>}
    </div>
  );
}

export function Live({ state }: { state: "connecting" | "live" | "away" }) {
  return (
    <span className="live" data-state={state}>
      {state === "away" ? "reconnecting" : state}
    </span>
  );
}

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, open, onClose, children }: DialogProps) {
  return (
    <ModalOverlay className="overlay" isDismissable isOpen={open} onOpenChange={(now) => !now && onClose()}>
      <Modal>
        <AriaDialog className="dialog">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

// Something to be copied as it is: a key, a command.
export function Copied({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const later = setTimeout(() => setDone(false), 2000);
    return () => clearTimeout(later);
  }, [done]);
  return (
    <div className="secret">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <Button aria-label={`Copy ${label}`} onPress={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}>
        {done ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

function ago(instant: Date): string {
  const seconds = (instant.getTime() - Date.now()) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? relative.format(Math.round(seconds / unit[1]), unit[0]) : "just now";
}

export function Ago({ at }: { at: string | number }) {
  const instant = new Date(at);
  return (
    <time dateTime={instant.toISOString()} title={instant.toLocaleString()}>
      {ago(instant)}
    </time>
  );
}
