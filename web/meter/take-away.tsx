import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useId, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { goTo } from "../shell/location.ts";
import { meterPath } from "../shell/pages.ts";
import {
  type Commodity,
  displayReads,
  displayUnit,
  exchangeRequest,
  instantOf,
  missingOf,
  type NewMeter,
  NO_METER,
} from "./take-away-request.ts";

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly refusal?: string | undefined;
  readonly type?: "text" | "password" | "datetime-local";
}

function Text({ label, value, change, refusal, type = "text" }: TextProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        autoComplete="off"
        spellCheck={false}
        maxLength={500}
        value={value}
        aria-invalid={refusal !== undefined}
        aria-describedby={refusal === undefined ? undefined : `${id}-refusal`}
        onChange={(event) => change(event.target.value)}
      />
      {refusal !== undefined && (
        <p className="refusal" id={`${id}-refusal`} role="alert">
          {refusal}
        </p>
      )}
    </div>
  );
}

const FIELDS = [
  ["meterId", "Id of the new meter"],
  ["serial", "Its serial"],
  ["systemTitle", "Its system title or ApTitle, if it has one"],
  ["profile", "Its device profile"],
  ["host", "Its address"],
  ["port", "Its port"],
] as const satisfies readonly (readonly [keyof NewMeter, string])[];
const KEYS = [
  ["unicast", "Its encryption key, hex; empty for an open meter"],
  ["authentication", "Its authentication key, hex"],
] as const satisfies readonly (readonly [keyof NewMeter, string])[];

interface Props {
  readonly meterId: string;
  readonly commodity: Commodity;
  readonly profile: string;
}

/** Says that a meter was taken away: another one took its place, or none did. */
export function TakeAway({ meterId, commodity, profile }: Props) {
  const [asking, ask] = useState<"exchange" | "retire">();
  if (asking !== undefined)
    return (
      <TakeAwayForm
        {...{ meterId, commodity, profile }}
        exchange={asking === "exchange"}
        leave={() => ask(undefined)}
      />
    );
  return (
    <>
      <button type="button" onClick={() => ask("exchange")}>
        Exchange the meter…
      </button>
      <button type="button" onClick={() => ask("retire")}>
        Retire the meter…
      </button>
    </>
  );
}

function TakeAwayForm({
  meterId,
  commodity,
  profile,
  exchange,
  leave,
}: Props & { readonly exchange: boolean; readonly leave: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const [at, setAt] = useState("");
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState("");
  const [starts, setStarts] = useState("");
  const [meter, setMeter] = useState<NewMeter>({ ...NO_METER, profile });
  const [tried, setTried] = useState(false);
  const instant = instantOf(at);
  const finalReads = displayReads(commodity, shown);
  const startReads = displayReads(commodity, starts);
  const missing = exchange ? missingOf(meter) : [];
  const send = useMutation({
    mutationFn: async (): Promise<string> => {
      const rest = { at: instant ?? "", reason: reason.trim(), finalReads: finalReads ?? [] };
      const params = { meterId };
      if (!exchange) return (await api("retireMeter", { params, request: rest })).meterId;
      const request = exchangeRequest(commodity, meter, { ...rest, startReads: startReads ?? [] });
      return (await api("exchangeMeter", { params, request })).meterId;
    },
    onSuccess: async (shownNext) => {
      await queries.invalidateQueries({ queryKey: ["readMeter", meterId] });
      leave();
      goTo(meterPath(shownNext));
    },
  });
  const title = exchange ? "Exchange the meter" : "Retire the meter";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    const fits = instant !== undefined && reason.trim() !== "" && finalReads !== undefined && startReads !== undefined;
    if (fits && missing.length === 0) send.mutate();
  };
  const said = (refused: boolean, text: string) => (tried && refused ? text : undefined);
  const newMeter: ReactNode = exchange && (
    <fieldset>
      <legend>The new meter</legend>
      {FIELDS.map(([field, label]) => (
        <Text
          key={field}
          label={label}
          value={meter[field]}
          refusal={said(missing.includes(field), "It has to be said.")}
          change={(value) => setMeter({ ...meter, [field]: value })}
        />
      ))}
      {KEYS.map(([field, label]) => (
        <Text
          key={field}
          type="password"
          label={label}
          value={meter[field]}
          change={(value) => setMeter({ ...meter, [field]: value })}
        />
      ))}
      <Text
        label={`What it showed then (${displayUnit(commodity)}), if it was read`}
        value={starts}
        refusal={said(startReads === undefined, "A number is expected.")}
        change={setStarts}
      />
    </fieldset>
  );
  return (
    <form className="card" aria-label={title} onSubmit={submit} noValidate>
      <p>
        {exchange
          ? "Another meter took its place at its service point. "
          : "It was taken away, and no meter takes its place. "}
        Its keys are destroyed, nothing is asked of it any more, and nothing is expected of it from then on. This cannot
        be undone.
      </p>
      <Text
        type="datetime-local"
        label="When it was taken away, UTC"
        value={at}
        refusal={said(instant === undefined, "An instant is expected.")}
        change={setAt}
      />
      <Text
        label={`What it showed then (${displayUnit(commodity)}); empty where it could not be read`}
        value={shown}
        refusal={said(finalReads === undefined, "A number is expected.")}
        change={setShown}
      />
      {newMeter}
      <Text
        label="Why"
        value={reason}
        refusal={said(reason.trim() === "", "Say why: it is written in the audit.")}
        change={setReason}
      />
      {send.isError && <ProblemView error={send.error} />}
      <div className="row">
        <button type="button" disabled={send.isPending} onClick={leave}>
          Leave it
        </button>
        <button type="submit" className="danger" disabled={send.isPending}>
          {send.isPending ? "Telling…" : title}
        </button>
      </div>
    </form>
  );
}
