import type { EffectAnswer, EffectBaseline, EffectSession, EffectVerdict } from "../../metering/effect.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Measurement } from "../../metering/measurement.ts";
import type { OnceOperation } from "../../metering/operation.ts";
import type { DlmsDemandReset, DlmsProfile } from "../../metering/profile.ts";
import type { OperationResult } from "../../metering/result.ts";
import type { Data } from "../data.ts";
import { dateTimeIn } from "../date-time.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf, methodOf } from "../objects/interface-class.ts";
import { ScriptTable } from "../objects/script-table.ts";
import { effectAnswer } from "./action-answer.ts";
import { integerIn } from "./integer-value.ts";
import { type MeterTime, placed } from "./meter-time.ts";
import { requireProof } from "./proven-session.ts";
import { NO_VALUE, refusalOf } from "./read-registers.ts";
import type { Answer, DlmsSession } from "./session.ts";

/** What the effect needs of the session that it is part of. */
export interface SessionReads {
  read(measurements: readonly Measurement[]): Promise<OperationResult>;
  time(): Promise<MeterTime>;
}

/** What the meter shows of its resets: how many, and when the last was (ms since 1970). */
interface Shown {
  readonly resets?: bigint;
  readonly lastReset?: number;
}

/**
 * Demand reset: `execute` of the profile's script (class 9, method 1), proved by the number of resets and the time of
 * the last one. What it clears is read before, and no reset is sent without that. Only within a session that has proved the meter's keys: without them nothing fences off a late sender.
 */
export function demandReset(session: DlmsSession, profile: DlmsProfile["dlms"], reads: SessionReads): EffectSession {
  const described = (operation: OnceOperation): DlmsDemandReset => {
    if (operation.kind !== "resetDemand")
      throw new SessionError("unsupported", "dlms.effect", "this driver does not know the effect");
    if (profile.demandReset === undefined)
      throw new SessionError("unsupported", "profile.no-demand-reset", "the device profile describes no demand reset");
    requireProof(profile);
    return profile.demandReset;
  };

  const shown = async ({ counter, lastReset }: DlmsDemandReset): Promise<Shown> => {
    const time = await reads.time(); // places the time stamp where it has no deviation of its own
    const names = [counter, lastReset].flatMap((obis) => obis ?? []);
    const answers = await session.readAll(
      names.map((obis) => attributeOf(DataObject, DataObject.attributes.value, obis)),
    );
    const of = (obis: string | undefined): Data | undefined => {
      const answer = obis === undefined ? undefined : (answers[names.indexOf(obis)] as Answer<Data> | undefined);
      if (answer?.kind === "refused") refusalOf(obis ?? "", answer.result); // throws where it is refused for now only
      return answer?.kind === "value" ? answer.value : undefined;
    };
    const resets = wholeIn(of(counter));
    const at = instantIn(of(lastReset), time);
    return { ...(resets === undefined ? {} : { resets }), ...(at === undefined ? {} : { lastReset: at }) };
  };

  return {
    async baseline(operation) {
      const reset = described(operation);
      const before = await reads.read(reset.registers);
      // A register that holds nothing yet has nothing to lose.
      const unread = before.refusals.find(({ code }) => code !== NO_VALUE);
      if (unread !== undefined)
        throw new SessionError("unsafe", "dlms.peak-unread", `expected to read ${unread.item} before it is reset`, {
          detail: { refusal: unread.code },
        });
      const { resets, lastReset } = await shown(reset);
      if (resets === undefined && lastReset === undefined)
        throw new SessionError("unsupported", "dlms.no-proof", "the meter shows neither number nor time of its resets");
      return {
        before,
        baseline: {
          ...(resets === undefined ? {} : { resets: resets.toString() }),
          ...(lastReset === undefined ? {} : { lastReset: lastReset.toString() }),
        },
      };
    },
    async operate(operation): Promise<EffectAnswer> {
      const { scriptTable, script } = described(operation);
      const { result } = await session.invoke(methodOf(ScriptTable, ScriptTable.methods.execute, scriptTable), script);
      return effectAnswer(result);
    },
    prove: async (operation, baseline) => compared(baseline, await shown(described(operation))),
  };
}

/** What changed between baseline and now. Pure. The counter decides; the time decides only where there is no counter. */
export function compared(baseline: EffectBaseline, now: Shown): EffectVerdict {
  const was = baseline.resets === undefined ? undefined : BigInt(baseline.resets);
  const lastReset = baseline.lastReset === undefined ? undefined : Number(baseline.lastReset);
  const moved = lastReset === undefined || now.lastReset === undefined ? undefined : now.lastReset !== lastReset;
  if (was === undefined || now.resets === undefined) {
    if (was !== undefined || moved === undefined) return { kind: "cannot-tell", code: "dlms.no-proof" };
    return { kind: moved ? "happened" : "did-not-happen" };
  }
  switch (now.resets - was) {
    case 0n:
      return moved === true ? { kind: "cannot-tell", code: "dlms.reset-time-moved" } : { kind: "did-not-happen" };
    case 1n:
      return { kind: "happened" };
    default: // somebody else reset it too, or another meter answers
      return { kind: "cannot-tell", code: "dlms.reset-count" };
  }
}

function wholeIn(data: Data | undefined): bigint | undefined {
  const number = data === undefined ? undefined : integerIn(data);
  return number?.exponent === 0 ? number.value : undefined;
}

function instantIn(data: Data | undefined, time: MeterTime): number | undefined {
  const dateTime = data === undefined ? undefined : dateTimeIn(data);
  return dateTime === undefined ? undefined : placed(time, dateTime, undefined)?.instant;
}
