import { type ReactNode, type SubmitEvent, useId, useState } from "react";

interface ReasonFormProps {
  readonly label: string;
  /** Of the button that sends it. */
  readonly action: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly children?: ReactNode;
  readonly send: (reason: string) => void;
}

/** What is done only with a reason. */
export function ReasonForm({ label, action, danger = false, busy, children, send }: ReasonFormProps) {
  const id = useId();
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const missing = tried && reason.trim() === "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (reason.trim() === "") return;
    send(reason.trim());
    setReason("");
    setTried(false);
  };
  return (
    <form aria-label={label} onSubmit={submit} noValidate>
      {children}
      <div className="field">
        <label htmlFor={id}>Why</label>
        <input
          id={id}
          maxLength={500}
          autoComplete="off"
          required
          value={reason}
          aria-invalid={missing}
          aria-describedby={missing ? `${id}-refusal` : undefined}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      {missing && (
        <p className="refusal" id={`${id}-refusal`} role="alert">
          Say why: it is written in the audit.
        </p>
      )}
      <button type="submit" className={danger ? "danger" : undefined} disabled={busy}>
        {action}
      </button>
    </form>
  );
}
