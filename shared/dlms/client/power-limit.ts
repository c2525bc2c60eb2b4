import { DISCONNECT_SCRIPTS } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import { limitShown, type PowerLimitShown } from "../../metering/power-limit.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Data } from "../data.ts";
import type { DateTime } from "../date-time.ts";
import { DemandRegister } from "../objects/demand-register.ts";
import { type Attribute, attributeOf } from "../objects/interface-class.ts";
import { Limiter } from "../objects/limiter.ts";
import { Register } from "../objects/register.ts";
import type { ShapeValue } from "../objects/shape.ts";
import { unitExponent } from "../objects/unit.ts";
import { requireSuccess } from "./action-answer.ts";
import { atScaler, integerIn } from "./integer-value.ts";
import { type MeterTime, meterDateTime, placed } from "./meter-time.ts";
import { requireProof } from "./proven-session.ts";
import { refusalOf } from "./read-registers.ts";
import { type Answer, type AttributeWrite, type DlmsSession, written } from "./session.ts";

type SetPowerLimit = Extract<Operation, { readonly kind: "setPowerLimit" }>;
type Actions = ShapeValue<(typeof Limiter.attributes.actions)["shape"]>;

/** The largest value of each type a threshold may have: a load that no meter sees, by which "no limit" is written. */
const LARGEST: Readonly<Partial<Record<Data["type"], number>>> = {
  unsigned: 0xff,
  "long-unsigned": 0xffff,
  "double-long-unsigned": 0xffff_ffff,
  integer: 0x7f,
  long: 0x7fff,
  "double-long": 0x7fff_ffff,
};
const NO_SCRIPT = { scriptLogicalName: "0.0.0.0.0.0", scriptSelector: 0 } as const;
const DEMAND_REGISTER = DemandRegister.classId;

/** A Limiter as it was read: in the words of the product, and as it would have to be written. */
interface LimiterRead {
  readonly shown: PowerLimitShown;
  /** 10^scaler W. */
  readonly scaler: number;
  readonly thresholdType: Data["type"];
}

export interface LimiterParts {
  readonly session: DlmsSession;
  readonly profile: DlmsProfile["dlms"];
  readonly time: MeterTime;
}

function limiterOf({ limiter }: DlmsProfile["dlms"]) {
  if (limiter === undefined)
    throw new SessionError("unsupported", "profile.no-limiter", "the device profile describes no limiter");
  return { obis: limiter.obis, scripts: limiter.scripts ?? DISCONNECT_SCRIPTS };
}

function needed<T>(what: string, answer: Answer<unknown> | undefined): T {
  if (answer?.kind === "value") return answer.value as T;
  const { code } = refusalOf(what, answer?.result ?? -1); // throws where it is refused for now only
  throw new SessionError("refused", code, `the meter does not show ${what}`);
}

/** What a threshold counts in, 10^scaler W: that of the register that it watches. */
async function scalerOf({ session }: LimiterParts, monitored: Answer<unknown> | undefined): Promise<number> {
  const { classId, logicalName, attributeIndex } = needed<{
    classId: number;
    logicalName: string;
    attributeIndex: number;
  }>("what its limiter watches", monitored);
  const of = classId === DEMAND_REGISTER ? DemandRegister : Register;
  const answer = await session.read(attributeOf({ classId }, of.attributes.scalerUnit, logicalName));
  const { scaler, unit } = needed<{ scaler: number; unit: number }>("the unit of its limiter", answer);
  const exponent = unitExponent("W", unit);
  if (exponent === undefined)
    throw new SessionError("unsupported", "dlms.limit-unit", "the limiter watches no active power", {
      detail: { classId, logicalName, attributeIndex, unit },
    });
  return scaler + exponent;
}

const wattsOf = (data: Data, scaler: number): number | null => {
  const number = integerIn(data);
  if (number === undefined || Number(number.value) === LARGEST[data.type]) return null;
  return Number(number.value) * 10 ** (scaler + number.exponent);
};

async function readLimiter(parts: LimiterParts): Promise<LimiterRead> {
  const { session, profile, time } = parts;
  const { obis, scripts } = limiterOf(profile);
  const names = Object.keys(Limiter.attributes).filter((name) => name !== "logicalName") as Exclude<
    keyof typeof Limiter.attributes,
    "logicalName"
  >[];
  const answers = await session.readAll(
    names.map((name) => attributeOf<unknown>(Limiter, Limiter.attributes[name] as Attribute<unknown>, obis)),
  );
  const of = <T>(name: (typeof names)[number]): T => needed(name, answers[names.indexOf(name)]);
  const scaler = await scalerOf(parts, answers[names.indexOf("monitoredValue")]);
  const normal = of<Data>("thresholdNormal");
  const watts = wattsOf(normal, scaler);
  const { actionOverThreshold, actionUnderThreshold } = of<Actions>("actions");
  const action = <A extends string>(found: Actions["actionOverThreshold"], script: number, word: A) => {
    if (found.scriptLogicalName === NO_SCRIPT.scriptLogicalName) return "none";
    return found.scriptLogicalName === scripts.table && found.scriptSelector === script ? word : "other";
  };
  const groupIds = [...of<readonly number[]>("emergencyProfileGroupIdList")];
  const profileOf = of<{
    emergencyProfileId: number;
    emergencyActivationTime: DateTime;
    emergencyDuration: number;
  }>("emergencyProfile");
  const { emergencyDuration: durationSeconds, emergencyProfileId: profileId } = profileOf;
  const none = groupIds.length === 0 || durationSeconds === 0;
  const shown: PowerLimitShown = {
    limit:
      watts === null
        ? null
        : {
            watts,
            overSeconds: of<number>("minOverThresholdDuration"),
            underSeconds: of<number>("minUnderThresholdDuration"),
            over: action(actionOverThreshold, scripts.disconnect, "disconnect"),
            under: action(actionUnderThreshold, scripts.reconnect, "reconnect"),
          },
    emergency: none
      ? null
      : {
          profileId,
          watts: wattsOf(of<Data>("thresholdEmergency"), scaler),
          activateAt: placed(time, profileOf.emergencyActivationTime, undefined)?.instant ?? null,
          durationSeconds,
          groupIds,
        },
    emergencyActive: of<boolean>("emergencyProfileActive"),
    activeWatts: wattsOf(of<Data>("thresholdActive"), scaler),
  };
  return { shown, scaler, thresholdType: normal.type };
}

export const readPowerLimit = async (parts: LimiterParts): Promise<PowerLimitShown> => (await readLimiter(parts)).shown;

/**
 * What has to be written. A limit that is taken away goes first and one that is set comes last, so that no threshold is
 * ever in force with another limit's durations.
 */
function writesFor(
  { profile, time }: LimiterParts,
  { limit, emergency }: SetPowerLimit,
  { scaler, thresholdType }: LimiterRead,
): readonly AttributeWrite[] {
  const { obis, scripts } = limiterOf(profile);
  const { attributes } = Limiter;
  const to = <T>(attribute: Attribute<T>, value: T): AttributeWrite =>
    written(attributeOf(Limiter, attribute, obis), value);
  const type = LARGEST[thresholdType] === undefined ? "double-long-unsigned" : thresholdType;
  const most = LARGEST[type] as number;
  const threshold = (watts: number | null): Data => {
    if (watts === null) return { type, value: most } as Data;
    const value = atScaler({ value: BigInt(watts), exponent: 0 }, scaler);
    if (value === undefined || Number(value) >= most)
      throw new SessionError("unsupported", "dlms.limit-range", "the limiter cannot hold this threshold", {
        detail: { watts, scaler, type },
      });
    return { type, value: Number(value) } as Data;
  };
  const script = (act: boolean, scriptSelector: number) =>
    act ? { scriptLogicalName: scripts.table, scriptSelector } : NO_SCRIPT;
  const none = emergency === null ? [to(attributes.emergencyProfileGroupIdList, [])] : [];
  const set =
    emergency === null || emergency === undefined
      ? []
      : [
          to(attributes.thresholdEmergency, threshold(emergency.watts)),
          to(attributes.emergencyProfileGroupIdList, emergency.groupIds),
          to(attributes.emergencyProfile, {
            emergencyProfileId: emergency.profileId,
            emergencyActivationTime: meterDateTime(time, emergency.activateAt),
            emergencyDuration: emergency.durationSeconds,
          }),
        ];
  const normal =
    limit === null
      ? [to(attributes.thresholdNormal, threshold(null))]
      : [
          to(attributes.minOverThresholdDuration, limit.overSeconds),
          to(attributes.minUnderThresholdDuration, limit.underSeconds),
          to(attributes.actions, {
            actionOverThreshold: script(limit.over === "disconnect", scripts.disconnect),
            actionUnderThreshold: script(limit.under === "reconnect", scripts.reconnect),
          }),
          to(attributes.thresholdNormal, threshold(limit.watts)),
        ];
  return [...none, ...normal, ...set];
}

/**
 * Sets or takes away the limits of a Limiter (class 71) and reads them back. Nothing is written where they stand so
 * already. Throws `SessionError`: `refused` `dlms.limit-differs` where the meter took them and shows others.
 */
export async function setPowerLimit(
  parts: LimiterParts,
  wanted: SetPowerLimit,
  mayChange: () => Promise<void>,
): Promise<PowerLimitShown> {
  requireProof(parts.profile);
  const before = await readLimiter(parts);
  if (limitShown(wanted, before.shown)) return before.shown;
  const writes = writesFor(parts, wanted, before);
  await mayChange();
  for (const result of await parts.session.writeAll(writes)) requireSuccess("its limits", result);
  const { shown } = await readLimiter(parts);
  if (!limitShown(wanted, shown))
    throw new SessionError("refused", "dlms.limit-differs", "the meter took other limits than it shows", {
      detail: { shown },
    });
  return shown;
}
