import { type Ref, useId, useState } from "react";

/** A reason as it is being written, without which nothing is sent. */
export function useReason() {
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const reason = text.trim();
  return {
    text,
    change: setText,
    missing: tried && reason === "",
    /** Undefined: there is none, which the field says from now on. */
    take(): string | undefined {
      setTried(true);
      return reason === "" ? undefined : reason;
    },
    clear() {
      setText("");
      setTried(false);
    },
  };
}

interface Props {
  readonly reason: ReturnType<typeof useReason>;
  /** Where the reason is kept. */
  readonly kept: string;
  readonly input?: Ref<HTMLInputElement>;
}

export function ReasonField({ reason: { text, change, missing }, kept, input }: Props) {
  const id = useId();
  return (
    <>
      <div className="field">
        <label htmlFor={id}>Why</label>
        <input
          id={id}
          ref={input}
          maxLength={500}
          autoComplete="off"
          required
          value={text}
          aria-invalid={missing}
          aria-describedby={missing ? `${id}-refusal` : undefined}
          onChange={(event) => change(event.target.value)}
        />
      </div>
      {missing && (
        <p className="refusal" id={`${id}-refusal`} role="alert">
          Say why: it is {kept}.
        </p>
      )}
    </>
  );
}
