import type { ReactNode, SubmitEvent } from "react";
import { ReasonField, useReason } from "./reason-field.tsx";

interface ReasonFormProps {
  readonly label: string;
  /** Of the button that sends it. */
  readonly action: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  /** Where the reason is kept. */
  readonly kept?: string;
  readonly children?: ReactNode;
  readonly send: (reason: string) => void;
}

/** What is done only with a reason. */
export function ReasonForm({
  label,
  action,
  danger = false,
  busy,
  kept = "written in the audit",
  children,
  send,
}: ReasonFormProps) {
  const reason = useReason();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const why = reason.take();
    if (why === undefined) return;
    send(why);
    reason.clear();
  };
  return (
    <form aria-label={label} onSubmit={submit} noValidate>
      {children}
      <ReasonField reason={reason} kept={kept} />
      <button type="submit" className={danger ? "danger" : undefined} disabled={busy}>
        {action}
      </button>
    </form>
  );
}
