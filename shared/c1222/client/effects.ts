import { valueAt } from "../../c1219/table-layout.ts";
import type { C1222DemandReset, C1222Profile, C1222Switch } from "../../metering/c1222-profile.ts";
import type { EffectBaseline, EffectSession, EffectVerdict } from "../../metering/effect.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Measurement } from "../../metering/measurement.ts";
import type { OnceOperation } from "../../metering/operation.ts";
import type { OperationResult } from "../../metering/result.ts";
import { switchVerdict } from "../../metering/switch-verdict.ts";
import { fromHex } from "../../ports/octets.ts";
import { effectAnswer, type Procedures } from "./procedures.ts";
import { integerIn } from "./read-registers.ts";
import type { TableReader } from "./table-reader.ts";

type Target = Extract<OnceOperation, { readonly kind: "operateSwitch" }>["to"];

/** What effects need of the session that they are part of. */
export interface EffectParts {
  readonly reader: TableReader;
  readonly procedures: Procedures;
  readonly profile: C1222Profile["c1222"];
  readonly registers: (measurements: readonly Measurement[]) => Promise<OperationResult>;
  readonly switch: () => Promise<OperationResult>;
}

/** Effects by procedures, each proved by what the meter's tables show. Only in messages that the meter's key secures. */
export function c1222Effects(parts: EffectParts): EffectSession {
  const { profile, procedures } = parts;
  const secured = (): void => {
    if (profile.access.security === "clear")
      throw new SessionError("unsafe", "c1222.unproved-session", "expected messages that the meter's own key secures");
  };
  return {
    async baseline(operation) {
      secured();
      switch (operation.kind) {
        case "resetDemand": {
          const reset = demandReset(profile);
          const before = await parts.registers(reset.registers);
          const [unread] = before.refusals;
          if (unread !== undefined)
            throw new SessionError(
              "unsafe",
              "c1222.peak-unread",
              `expected to read ${unread.item} before it is reset`,
              {
                detail: { refusal: unread.code },
              },
            );
          return { before, baseline: { resets: String(await resetCount(parts.reader, reset)) } };
        }
        case "operateSwitch": {
          parametersOf(switchOf(profile), operation.to);
          const before = await parts.switch();
          if (before.switch?.position === "unknown")
            throw new SessionError("unsafe", "c1222.switch-position", "the switch shows no known position");
          const { position = "unknown", contactClosed } = before.switch ?? {};
          const contact = contactClosed === undefined ? {} : { contact: contactClosed ? "closed" : "open" };
          return { before, baseline: { position, ...contact } };
        }
        case "addCredit":
        case "deliverToken":
          throw noCredit();
      }
    },
    async operate(operation) {
      secured();
      switch (operation.kind) {
        case "resetDemand": {
          const { procedure, parameters } = demandReset(profile);
          return effectAnswer(await procedures.run(procedure, fromHex(parameters)));
        }
        case "operateSwitch": {
          const described = switchOf(profile);
          const parameters = parametersOf(described, operation.to);
          return effectAnswer(await procedures.run(described.procedure, fromHex(parameters)));
        }
        case "addCredit":
        case "deliverToken":
          throw noCredit();
      }
    },
    async prove(operation, baseline) {
      switch (operation.kind) {
        case "resetDemand": {
          const reset = demandReset(profile);
          return comparedResets(baseline, await resetCount(parts.reader, reset), reset.counter.modulus);
        }
        case "operateSwitch":
          return switchVerdict(operation.to, baseline, await parts.switch());
        case "addCredit":
        case "deliverToken":
          throw noCredit();
      }
    },
  };
}

/** No table of credit is confirmed by two sources. */
export const noCredit = (): SessionError =>
  new SessionError(
    "unsupported",
    "profile.no-prepayment",
    "not supported by the device profile: no C12.19 table keeps credit",
  );

function demandReset({ demandReset: described }: C1222Profile["c1222"]): C1222DemandReset {
  if (described === undefined)
    throw new SessionError("unsupported", "profile.no-demand-reset", "the device profile describes no demand reset");
  return described;
}

export function switchOf({ switch: described }: C1222Profile["c1222"]): C1222Switch {
  if (described === undefined)
    throw new SessionError("unsupported", "profile.no-switch", "the device profile describes no switch");
  return described;
}

function parametersOf({ open, close, arm }: C1222Switch, to: Target): string {
  const parameters = { open, closed: close, armed: arm }[to];
  if (parameters === undefined)
    throw new SessionError("unsupported", "profile.switch-position", `the device profile has no way to ${to}`);
  return parameters;
}

async function resetCount(reader: TableReader, { counter }: C1222DemandReset): Promise<number> {
  const answer = (await reader.readRecords([counter.table])).get(counter.table);
  const count = answer?.kind === "record" ? integerIn(valueAt(answer.record, counter.element)) : undefined;
  if (count === undefined)
    throw new SessionError("unsupported", "c1222.no-proof", "the meter does not show the number of its resets");
  return Number(count.value);
}

/** What changed between baseline and now, in a counter that begins again at its modulus. Pure. */
export function comparedResets({ resets }: EffectBaseline, now: number, modulus: number): EffectVerdict {
  const was = Number(resets);
  if (resets === undefined || !Number.isInteger(was)) return { kind: "cannot-tell", code: "c1222.no-proof" };
  switch ((((now - was) % modulus) + modulus) % modulus) {
    case 0:
      return { kind: "did-not-happen" };
    case 1:
      return { kind: "happened" };
    default: // somebody else reset it too, or another meter answers
      return { kind: "cannot-tell", code: "c1222.reset-count" };
  }
}
