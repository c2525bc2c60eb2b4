import { clockDifference, clockSets, DAY_MS, rangeOfMarks, unmarked } from "../metering/clock-step.ts";
import type { Driver, MeterSession, SessionContext } from "../metering/driver.ts";
import type { EffectSession } from "../metering/effect.ts";
import { SessionError } from "../metering/failure.ts";
import type { MeterIdentity } from "../metering/identity.ts";
import type { LoadControl } from "../metering/load-control.ts";
import type { Operation, TimeRange } from "../metering/operation.ts";
import { pingMeter } from "../metering/ping.ts";
import type { DeviceProfile, DlmsLoadProfile, DlmsProfile } from "../metering/profile.ts";
import type { IntervalSet, OperationResult } from "../metering/result.ts";
import { configurePush } from "./client/configure-push.ts";
import { controlLoad } from "./client/control-load.ts";
import { type EffectReads, effectsOf } from "./client/effects.ts";
import { identityAttributes, identityOf } from "./client/identity.ts";
import { meterCredit } from "./client/meter-credit.ts";
import { type MeterTime, meterDateTime, meterTimeOf, placed } from "./client/meter-time.ts";
import { type ManufacturerHls, openSession } from "./client/open-session.ts";
import { type LimiterParts, readPowerLimit, setPowerLimit } from "./client/power-limit.ts";
import { programTariff, readTariff, type TariffParts } from "./client/program-tariff.ts";
import { identifyModule, withCounter } from "./client/public-client.ts";
import { readBilling } from "./client/read-billing.ts";
import { readEvents } from "./client/read-events.ts";
import { readIntervals } from "./client/read-intervals.ts";
import { type Refusal, readRegisters, refusalOf, type ScalerCache, wantedRegisters } from "./client/read-registers.ts";
import { readSwitch, switchOf, voltagesOf } from "./client/read-switch.ts";
import type { Answer, DlmsSession } from "./client/session.ts";
import { clockedSets, setClock } from "./client/set-clock.ts";
import { showPrice } from "./client/show-price.ts";
import type { DateTime } from "./date-time.ts";
import { Clock } from "./objects/clock.ts";
import { DataObject } from "./objects/data.ts";
import { attributeOf, type ReadableAttribute } from "./objects/interface-class.ts";
import { type CaptureObject, ProfileGeneric } from "./objects/profile-generic.ts";

type ReadIntervals = Extract<Operation, { readonly kind: "readIntervals" }>;
type ConfigurePush = Extract<Operation, { readonly kind: "configurePush" }>;
type ReadRegisters = Extract<Operation, { readonly kind: "readRegisters" }>;

const known = <T>(answer: Answer<unknown> | undefined): T | undefined =>
  answer?.kind === "value" ? (answer.value as T) : undefined;

const NOTHING_ASKED = async (): Promise<void> => undefined;

/** The operations of one associated session, by the words of the device profile. */
class DlmsMeterSession implements MeterSession {
  readonly effects: EffectSession;
  readonly #session: DlmsSession;
  readonly #context: SessionContext;
  readonly #profile: DlmsProfile["dlms"];
  readonly #reads: EffectReads;
  readonly #scalers: ScalerCache = new Map();
  #time: MeterTime | undefined;
  #difference: ReturnType<typeof clockDifference> | undefined;
  #identity: MeterIdentity | undefined;

  constructor(session: DlmsSession, context: SessionContext) {
    this.#session = session;
    this.#context = context;
    this.#profile = context.profile.dlms;
    this.#reads = {
      read: (measurements) => this.#readRegisters({ kind: "readRegisters", measurements: [...measurements] }),
      time: () => this.#clockTime(),
      shown: () => this.#switchShown(),
      sleep: (ms) => context.clock.sleep(ms),
    };
    this.effects = effectsOf(session, this.#profile, this.#reads);
  }

  async perform(operation: Operation, mayChange: () => Promise<void> = NOTHING_ASKED): Promise<OperationResult> {
    switch (operation.kind) {
      case "readRegisters":
        await this.#withClock([]); // every session that reads measures the clock
        return this.#readRegisters(operation);
      case "readIntervals":
        return this.#readIntervals(operation);
      case "ping":
        return this.#ping(operation.depth);
      case "readEvents":
        return this.#readEvents(operation.range);
      case "readVoltage":
        return this.#readVoltage();
      case "readBilling":
        return this.#readBilling(operation.range);
      case "readSwitch":
        return (await this.#switchShown()).result;
      case "setClock":
        return this.#setClock(operation);
      case "controlLoad":
        return this.#controlLoad(operation.control, mayChange);
      case "readPowerLimit":
        return this.#result({ powerLimit: await readPowerLimit(await this.#limiter()) });
      case "setPowerLimit":
        return this.#result({ powerLimit: await setPowerLimit(await this.#limiter(), operation, mayChange) });
      case "readCredit":
        return this.#result({ meterCredit: (await meterCredit(this.#session, this.#profile, this.#reads)).shown });
      case "configurePush":
        return this.#configurePush(operation);
      case "readTariff":
        return this.#result({ tariff: await readTariff(await this.#tariffParts()) });
      case "programTariff":
        return this.#result({ tariff: await programTariff(await this.#tariffParts(), operation) });
      case "sendPrice":
        return this.#sendPrice(operation);
      default:
        throw new SessionError("unsupported", "dlms.operation", "this driver does not know the operation");
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** The clock's attributes, once a session, together with what else is wanted. */
  async #withClock(attributes: readonly ReadableAttribute[]): Promise<readonly Answer<unknown>[]> {
    if (this.#time !== undefined) return attributes.length === 0 ? [] : this.#session.readAll(attributes);
    const { clock, access } = this.#profile;
    const sentAt = this.#context.clock.now();
    const asked = this.#context.asksIdentity === true ? identityAttributes(this.#profile) : [];
    const [time, zone, ...others] = await this.#session.readAll([
      attributeOf(Clock, Clock.attributes.time, clock),
      attributeOf(Clock, Clock.attributes.timeZone, clock),
      ...attributes,
      ...asked.map(([, attribute]) => attribute),
    ]);
    const answers = others.slice(0, attributes.length);
    if (this.#context.asksIdentity === true) this.#identity = identityOf(asked, others.slice(attributes.length));
    const shown = known<DateTime>(time);
    const answeredAt = this.#context.clock.now();
    this.#difference = undefined;
    this.#time = meterTimeOf(access.deviationSign, shown, known<number>(zone));
    const instant = shown && placed(this.#time, shown, undefined)?.instant;
    if (instant !== undefined) this.#difference = clockDifference(instant, { sentAt, answeredAt });
    return answers;
  }

  async #clockTime(): Promise<MeterTime> {
    await this.#withClock([]);
    return this.#meterTime();
  }

  #meterTime(): MeterTime {
    return this.#time ?? meterTimeOf(this.#profile.access.deviationSign, undefined, undefined);
  }

  async #readRegisters({ measurements }: ReadRegisters): Promise<OperationResult> {
    const wanted = wantedRegisters(this.#context.profile, measurements);
    if (wanted.registers.some(({ classId }) => classId === 4)) await this.#withClock([]);
    const read = await readRegisters(this.#session, wanted.registers, this.#meterTime(), this.#scalers);
    return this.#result({ registers: read.registers, refusals: [...wanted.refusals, ...read.refusals] });
  }

  async #readIntervals({ range, registers }: ReadIntervals): Promise<OperationResult> {
    const { loadProfiles, clock } = this.#profile;
    const answers = await this.#withClock(
      loadProfiles.flatMap(({ obis }) => [
        attributeOf(ProfileGeneric, ProfileGeneric.attributes.captureObjects, obis),
        attributeOf(ProfileGeneric, ProfileGeneric.attributes.capturePeriod, obis),
      ]),
    );
    const intervals: IntervalSet[] = [];
    const refusals: Refusal[] = [];
    for (const [index, profile] of loadProfiles.entries()) {
      const captured = answers[index * 2] as Answer<readonly CaptureObject[]>;
      if (captured.kind === "refused") {
        refusals.push(refusalOf(profile.channelSet, captured.result));
        continue;
      }
      checkPeriod(profile, known<number>(answers[index * 2 + 1]));
      const { onIntervals } = this.#context;
      const time = this.#meterTime();
      const read = await readIntervals(this.#session, profile, clock, captured.value, time, range, onIntervals);
      if (read.intervals !== undefined) intervals.push(read.intervals);
      refusals.push(...read.refusals);
    }
    if (registers === undefined) return this.#result({ intervals, refusals });
    const wanted = wantedRegisters(this.#context.profile, registers);
    const read = await readRegisters(this.#session, wanted.registers, this.#meterTime(), this.#scalers);
    return this.#result({
      intervals,
      registers: read.registers,
      refusals: [...refusals, ...wanted.refusals, ...read.refusals],
    });
  }

  async #readEvents(range: TimeRange): Promise<OperationResult> {
    const { events: logs, clock } = this.#profile;
    if (logs === undefined || logs.length === 0)
      throw new SessionError("unsupported", "profile.no-events", "the device profile describes no event log");
    return this.#result(await readEvents(this.#session, logs, clock, await this.#clockTime(), range));
  }

  async #readBilling(range: TimeRange | undefined): Promise<OperationResult> {
    const { billing, clock } = this.#profile;
    if (billing === undefined)
      throw new SessionError("unsupported", "profile.no-billing", "the device profile describes no billing snapshots");
    return this.#result(await readBilling(this.#session, billing, clock, await this.#clockTime(), range));
  }

  async #readVoltage(): Promise<OperationResult> {
    const measurements = voltagesOf(this.#profile);
    if (measurements.length === 0)
      throw new SessionError("unsupported", "profile.no-voltage", "the device profile maps no voltage");
    return this.#readRegisters({ kind: "readRegisters", measurements: [...measurements] });
  }

  async #switchShown(): Promise<{ readonly result: OperationResult; readonly mode: number | undefined }> {
    const { state, mode, refusals } = await readSwitch(this.#session, switchOf(this.#profile));
    const measurements = voltagesOf(this.#profile);
    const voltages =
      measurements.length === 0
        ? this.#result({})
        : await this.#readRegisters({ kind: "readRegisters", measurements: [...measurements] });
    const result = {
      ...voltages,
      refusals: [...refusals, ...voltages.refusals],
      ...(state === undefined ? {} : { switch: state }),
    };
    return { result, mode };
  }

  async #limiter(): Promise<LimiterParts> {
    return { session: this.#session, profile: this.#profile, time: await this.#clockTime() };
  }

  async #controlLoad(control: LoadControl, mayChange: () => Promise<void>): Promise<OperationResult> {
    const time = await this.#clockTime();
    const { clock } = this.#context;
    const wall = (instant: number): DateTime => meterDateTime(time, instant);
    const parts = { clock, wall, mayChange };
    return this.#result({ loadControl: await controlLoad(this.#session, this.#profile, parts, control) });
  }

  async #tariffParts(): Promise<TariffParts> {
    const { clock, crypto } = this.#context;
    const time = await this.#clockTime();
    return { session: this.#session, profile: this.#profile, crypto, time, now: () => clock.now() };
  }

  async #sendPrice(order: Extract<Operation, { readonly kind: "sendPrice" }>): Promise<OperationResult> {
    const shownPrice = await showPrice(await this.#tariffParts(), order);
    return this.#result({ shownPrice });
  }

  async #setClock(order: Extract<Operation, { readonly kind: "setClock" }>): Promise<OperationResult> {
    const { clock } = this.#context;
    const clockSet = await setClock(this.#session, this.#profile, order, {
      offset: async () => {
        this.#time = undefined;
        const time = await this.#clockTime();
        if (this.#difference === undefined)
          throw new SessionError("protocol", "dlms.no-time", "the meter's clock names no instant");
        const { clockOffsetMs: offsetMs, clockUncertaintyMs: uncertaintyMs } = this.#difference;
        return { offsetMs, uncertaintyMs, time };
      },
      setsToday: async () => (await this.#setsOfDay()).length,
      now: () => clock.now(),
    });
    const isRight = clockSet.afterMs === clockSet.beforeMs;
    return this.#result({ clockSet, ...(isRight ? await this.#marksOfDay() : {}) });
  }

  #shown(): number {
    return this.#context.clock.now() + (this.#difference?.clockOffsetMs ?? 0);
  }

  /** When the clock was set in the last 24 h, by the meter's own logs; a model without has no say. */
  async #setsOfDay(): Promise<readonly number[]> {
    if ((this.#profile.events ?? []).length === 0) return [];
    const to = this.#shown();
    return clockSets((await this.#readEvents({ from: to - DAY_MS, to })).events ?? []);
  }

  /** Intervals in which the clock was set lately, read back for the status that says so. */
  async #marksOfDay(): Promise<Partial<OperationResult>> {
    const at = await this.#setsOfDay();
    const sets = clockedSets(this.#profile);
    const range = rangeOfMarks(sets, at, this.#shown());
    if (range === undefined) return {};
    const { intervals, refusals } = await this.#readIntervals({ kind: "readIntervals", range });
    return { intervals, refusals: [...refusals, ...unmarked(sets, at, intervals)] };
  }

  async #configurePush(operation: ConfigurePush): Promise<OperationResult> {
    const { pushesTo, link } = this.#context;
    const transport = link.kind === "stream" ? ("tcp" as const) : ("udp" as const);
    const pushSet = await configurePush(
      this.#session,
      this.#profile,
      operation,
      pushesTo && { transport, ...pushesTo },
    );
    return this.#result({ pushSet });
  }

  /**
   * `network`: the association itself is the answer of the module. `meter`: a register past the interface answers too, and
   * then the voltages that the profile maps. That it is refused, or that nothing comes, is the answer of a module whose
   * meter is dead.
   */
  async #ping(depth: "network" | "meter"): Promise<OperationResult> {
    const accepted = this.#context.link.kind === "stream" ? (["tcp-accept"] as const) : [];
    const module = [...accepted, "module-answer"] as const;
    if (this.#profile.access.association === "pre-established") {
      // Nobody has said anything yet: the first answer is the module's too, and without one there is no evidence of it.
      const { answered, result } = await this.#firstAnswer();
      return { ...result, evidence: answered && depth === "meter" ? [...module, "meter-answer"] : module };
    }
    if (depth === "network") return this.#result({ evidence: module });
    return pingMeter(module, this.#profile.registers[0]?.measurement ?? "clock", async () => {
      const first = await this.#firstAnswer();
      const measurements = voltagesOf(this.#profile);
      if (!first.answered || measurements.length === 0) return first;
      return {
        answered: true,
        result: await this.#readRegisters({ kind: "readRegisters", measurements: [...measurements] }),
      };
    });
  }

  async #firstAnswer(): Promise<{ readonly answered: boolean; readonly result: OperationResult }> {
    const [first] = this.#profile.registers;
    const answers =
      first === undefined
        ? await this.#withClock([])
        : await this.#withClock([
            attributeOf({ ...DataObject, classId: first.classId }, DataObject.attributes.value, first.obis),
          ]);
    const [answer] = answers;
    if (answer?.kind === "value") return { answered: true, result: this.#result({}) };
    const refusals = answer === undefined || first === undefined ? [] : [refusalOf(first.measurement, answer.result)];
    return { answered: false, result: this.#result({ refusals }) };
  }

  #result(part: Partial<OperationResult>): OperationResult {
    return {
      registers: [],
      intervals: [],
      refusals: [],
      ...part,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
      ...this.#difference,
    };
  }
}

/** A meter that captures in another rhythm than its profile says would give ends and values a wrong meaning. */
function checkPeriod(profile: DlmsLoadProfile, capturePeriod: number | undefined): void {
  if (capturePeriod !== undefined && capturePeriod !== profile.period)
    throw new SessionError(
      "protocol",
      "dlms.capture-period",
      `expected ${profile.obis} to capture each ${profile.period} s`,
      {
        detail: { expected: profile.period, received: capturePeriod },
      },
    );
}

/**
 * DLMS/COSEM by logical names over the wrapper. `open` associates as the profile's access says and proves both sides;
 * it throws `SessionError` with a code `dlms.…`, or `LinkError`. The caller closes the link.
 */
export const dlmsDriver: Driver = driverWith();

function dlmsOnly(profile: DeviceProfile): DlmsProfile {
  if (profile.protocol === "dlms") return profile;
  throw new SessionError("internal", "dlms.profile", `expected a DLMS device profile, got ${profile.name}`);
}

/** The same driver, with a maker's own HLS (mechanism 2). */
export function driverWith(manufacturer?: ManufacturerHls): Driver {
  return {
    protocol: "dlms",
    identify: async ({ profile, ...rest }) => identifyModule({ ...rest, profile: dlmsOnly(profile) }),
    open: async ({ profile: given, ...rest }) => {
      const profile = dlmsOnly(given);
      let last: number | undefined;
      const counters = {
        next: () => {
          last = rest.counters.next();
          return last;
        },
      };
      const context = { ...rest, profile, counters };
      try {
        return new DlmsMeterSession(await openSession(context, manufacturer), context);
      } catch (error) {
        throw await withCounter(context, last, error);
      }
    },
  };
}
