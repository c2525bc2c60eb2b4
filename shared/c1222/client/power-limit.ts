import { parseDescription } from "../../c1219/description.ts";
import { type TableRecord, valueAt, writeTable } from "../../c1219/table-layout.ts";
import type { C1222PowerLimit, C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import { limitShown, type PowerLimit, type PowerLimitShown } from "../../metering/power-limit.ts";
import type { Procedures } from "./procedures.ts";
import { integerIn } from "./read-registers.ts";
import type { TableReader } from "./table-reader.ts";

type SetPowerLimit = Extract<Operation, { readonly kind: "setPowerLimit" }>;

export interface LimitParts {
  readonly reader: TableReader;
  readonly procedures: Procedures;
  readonly profile: C1222Profile["c1222"];
}

/** Bits of what the meter does about its limit. */
const DISCONNECTS = 0x01;
const RECONNECTS = 0x02;

function limitOf({ powerLimit }: C1222Profile["c1222"]): C1222PowerLimit {
  if (powerLimit === undefined)
    throw new SessionError("unsupported", "profile.no-limiter", "the device profile describes no power limit");
  return powerLimit;
}

/** The limit of the manufacturer's table that the device profile names. Such meters have no emergency profile. */
export async function readPowerLimit({ reader, profile }: LimitParts): Promise<PowerLimitShown> {
  const { table, elements, noLimit } = limitOf(profile);
  const answer = (await reader.readRecords([table])).get(table);
  if (answer?.kind !== "record")
    throw new SessionError("refused", answer?.code ?? "c1222.err", "the meter does not show its power limit");
  const at = (element: string): number => {
    const number = integerIn(valueAt(answer.record, element));
    if (number === undefined)
      throw new SessionError("protocol", "c1222.power-limit", `expected a number in ${element}`);
    return Number(number.value) * 10 ** number.exponent;
  };
  const watts = at(elements.watts);
  const acts = at(elements.acts);
  const none = watts === noLimit;
  return {
    limit: none
      ? null
      : {
          watts,
          overSeconds: at(elements.overSeconds),
          underSeconds: at(elements.underSeconds),
          over: (acts & DISCONNECTS) !== 0 ? "disconnect" : "none",
          under: (acts & RECONNECTS) !== 0 ? "reconnect" : "none",
        },
    emergency: null,
    emergencyActive: false,
    activeWatts: none ? null : watts,
  };
}

/** What the procedure takes: the elements of the table. Where a limit is taken away its durations go to 0. */
function parametersOf({ elements, noLimit }: C1222PowerLimit, limit: PowerLimit | null): TableRecord {
  const acts = (limit?.over === "disconnect" ? DISCONNECTS : 0) | (limit?.under === "reconnect" ? RECONNECTS : 0);
  return {
    [elements.watts]: limit?.watts ?? noLimit,
    [elements.overSeconds]: limit?.overSeconds ?? 0,
    [elements.underSeconds]: limit?.underSeconds ?? 0,
    [elements.acts]: acts,
  };
}

/**
 * Sets or takes away the limit by the manufacturer's procedure, and reads it back. Nothing is sent where it stands so
 * already. Throws `SessionError`: `refused` `c1222.limit-differs` where the meter took it and shows another.
 */
export async function setPowerLimit(
  parts: LimitParts,
  wanted: SetPowerLimit,
  mayChange: () => Promise<void>,
): Promise<PowerLimitShown> {
  const { profile, procedures, reader } = parts;
  const described = limitOf(profile);
  if (profile.access.security === "clear")
    throw new SessionError("unsafe", "c1222.unproved-session", "expected messages that the meter's own key secures");
  if (wanted.emergency !== undefined && wanted.emergency !== null)
    throw new SessionError("unsupported", "profile.no-emergency-limit", "this model has no emergency limit");
  if (wanted.limit?.watts === described.noLimit)
    throw new SessionError("unsupported", "c1222.limit-range", "this threshold means no limit to this model");
  const before = await readPowerLimit(parts);
  if (limitShown(wanted, before)) return before;
  const fields = parseDescription(described.parameters);
  const parameters = writeTable(fields, reader.context, parametersOf(described, wanted.limit));
  await mayChange();
  const answer = await procedures.run(described.procedure, parameters);
  if (answer.kind === "refused")
    throw new SessionError(answer.reason, answer.code, "the meter refused its power limit", { retry: answer.retry });
  const shown = await readPowerLimit(parts);
  if (!limitShown(wanted, shown))
    throw new SessionError("refused", "c1222.limit-differs", "the meter took another limit than it shows", {
      detail: { shown },
    });
  return shown;
}
