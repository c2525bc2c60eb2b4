import { valueAt } from "../c1219/table-layout.ts";
import type { C1222Profile } from "../metering/c1222-profile.ts";
import { type ClockedSet, clockSets, DAY_MS, rangeOfMarks, unmarked } from "../metering/clock-step.ts";
import type { Driver, MeterSession, SessionContext } from "../metering/driver.ts";
import type { EffectSession } from "../metering/effect.ts";
import { SessionError } from "../metering/failure.ts";
import type { MeterIdentity } from "../metering/identity.ts";
import type { Measurement } from "../metering/measurement.ts";
import type { Operation, TimeRange } from "../metering/operation.ts";
import { pingMeter } from "../metering/ping.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { IntervalSet, OperationResult } from "../metering/result.ts";
import { WireError } from "../wire/wire-error.ts";
import { configurePush } from "./client/configure-push.ts";
import { controlLoad } from "./client/control-load.ts";
import { c1222Effects, noCredit, switchOf } from "./client/effects.ts";
import { enrolledKey, SECURITY_MODES } from "./client/enrolled-key.ts";
import { conversationError, Exchange } from "./client/exchange.ts";
import { identifyModule } from "./client/identify.ts";
import { identityOf, identityTables } from "./client/identity.ts";
import { logOn, prefaceOf } from "./client/log-on.ts";
import { type MeterClock, readClock } from "./client/meter-clock.ts";
import { type LimitParts, readPowerLimit, setPowerLimit } from "./client/power-limit.ts";
import { Procedures } from "./client/procedures.ts";
import { readBilling } from "./client/read-billing.ts";
import { readEvents } from "./client/read-events.ts";
import { readIntervals } from "./client/read-intervals.ts";
import { readRegisters, wantedRegisters } from "./client/read-registers.ts";
import { readSwitch } from "./client/read-switch.ts";
import { setClock } from "./client/set-clock.ts";
import { type Refusal, TableReader } from "./client/table-reader.ts";
import { programTariff, readTariff, showPrice, type TariffParts } from "./client/tariff-tables.ts";

type ReadIntervals = Extract<Operation, { readonly kind: "readIntervals" }>;
type ReadRegisters = Extract<Operation, { readonly kind: "readRegisters" }>;
type ReadEvents = Extract<Operation, { readonly kind: "readEvents" }>;

type C1222Context = SessionContext<DeviceProfile>;

/** The operations on one meter, by the words of its device profile. */
class C1222MeterSession implements MeterSession {
  readonly effects: EffectSession;
  readonly #procedures: Procedures;
  readonly #release: () => Promise<void>;
  readonly #reader: TableReader;
  readonly #profile: C1222Profile["c1222"];
  readonly #context: C1222Context;
  #clock: MeterClock | undefined;
  #identity: MeterIdentity | undefined;

  constructor(
    reader: TableReader,
    profile: C1222Profile["c1222"],
    context: C1222Context,
    release: () => Promise<void>,
  ) {
    this.#reader = reader;
    this.#profile = profile;
    this.#context = context;
    this.#release = release;
    const [first = 0] = context.random.octets(1);
    this.#procedures = new Procedures(reader, context.clock, first);
    const effects = c1222Effects({
      reader,
      procedures: this.#procedures,
      profile,
      registers: (measurements) => this.#readRegisters({ kind: "readRegisters", measurements: [...measurements] }),
      switch: () => this.#readSwitch(),
    });
    this.effects = {
      baseline: (operation) => fitting(() => effects.baseline(operation)),
      operate: (operation) => fitting(() => effects.operate(operation)),
      prove: (operation, baseline) => fitting(() => effects.prove(operation, baseline)),
    };
  }

  perform(operation: Operation, mayChange: () => Promise<void> = async () => undefined): Promise<OperationResult> {
    return fitting(() => this.#perform(operation, mayChange));
  }

  async #perform(operation: Operation, mayChange: () => Promise<void>): Promise<OperationResult> {
    switch (operation.kind) {
      case "readRegisters":
        await this.#meterClock(); // every session that reads measures the clock
        return this.#readRegisters(operation);
      case "readIntervals":
        return this.#readIntervals(operation);
      case "readEvents":
        return this.#readEvents(operation);
      case "readVoltage":
        return this.#readRegisters({ kind: "readRegisters", measurements: this.#voltages() });
      case "readBilling":
        return this.#readBilling(operation.range);
      case "readSwitch":
        return this.#readSwitch();
      case "setClock":
        return this.#setClock(operation);
      case "controlLoad": {
        const parts = { reader: this.#reader, procedures: this.#procedures, clock: this.#context.clock, mayChange };
        return this.#result({
          loadControl: await controlLoad({ ...parts, profile: this.#profile }, operation.control),
        });
      }
      case "readPowerLimit":
        return this.#result({ powerLimit: await readPowerLimit(this.#limitParts) });
      case "setPowerLimit":
        return this.#result({ powerLimit: await setPowerLimit(this.#limitParts, operation, mayChange) });
      case "configurePush":
        return this.#result({ pushSet: await configurePush(this.#reader, this.#profile, operation) });
      case "readTariff":
        return this.#result({ tariff: await readTariff(await this.#tariffParts()) });
      case "programTariff":
        return this.#result({ tariff: await programTariff(await this.#tariffParts(), operation) });
      case "sendPrice":
        return this.#result({ shownPrice: await showPrice(await this.#tariffParts(), operation) });
      case "readCredit":
        throw noCredit();
      case "ping":
        return this.#ping(operation.depth);
      default:
        throw new SessionError("unsupported", "c1222.operation", "this driver does not know the operation");
    }
  }

  /** Ends the session where there is one; where there is none, each message stood alone. */
  release(): Promise<void> {
    return this.#release();
  }

  get #limitParts(): LimitParts {
    return { reader: this.#reader, procedures: this.#procedures, profile: this.#profile };
  }

  async #meterClock(): Promise<MeterClock> {
    if (this.#clock !== undefined) return this.#clock;
    return this.#clockAnew();
  }

  async #clockAnew(): Promise<MeterClock> {
    const tables = this.#context.asksIdentity === true ? identityTables(this.#reader, this.#profile) : [];
    this.#clock = await readClock(this.#reader, this.#profile, () => this.#context.clock.now(), {
      tables,
      tell: (answers) => {
        if (this.#context.asksIdentity === true) this.#identity = identityOf(this.#reader, tables, answers);
      },
    });
    return this.#clock;
  }

  /** Voltages that the profile maps; throws where it maps none. */
  #mappedVoltages(): Measurement[] {
    return this.#profile.registers.flatMap(({ measurement }) =>
      /^voltage\.l\d\.(?:line|load)$/.test(measurement) ? [measurement] : [],
    );
  }

  #voltages(): Measurement[] {
    const names = this.#mappedVoltages();
    if (names.length === 0)
      throw new SessionError("unsupported", "profile.no-voltage", "the device profile maps no voltage");
    return names;
  }

  async #readEvents({ range }: ReadEvents): Promise<OperationResult> {
    const { logs } = this.#profile;
    if (logs === undefined) throw new SessionError("unsupported", "profile.no-logs", "the device profile has no logs");
    return this.#result(await readEvents(this.#reader, logs, await this.#meterClock(), range));
  }

  async #readBilling(range: TimeRange | undefined): Promise<OperationResult> {
    const { billing, registers } = this.#profile;
    if (billing === undefined)
      throw new SessionError("unsupported", "profile.no-billing", "the device profile describes no billing snapshots");
    return this.#result(await readBilling(this.#reader, billing, registers, await this.#meterClock(), range));
  }

  /** Position first and voltage after it: a switch that moves meanwhile shows itself as a contradiction. */
  async #readSwitch(): Promise<OperationResult> {
    const position = await readSwitch(this.#reader, switchOf(this.#profile));
    const measurements = this.#profile.registers.some(({ measurement }) => measurement.startsWith("voltage."))
      ? this.#voltages()
      : [];
    const read = await this.#readRegisters({ kind: "readRegisters", measurements });
    return { ...read, switch: position.switch, refusals: [...position.refusals, ...read.refusals] };
  }

  async #tariffParts(): Promise<TariffParts> {
    const { clock: ours, crypto } = this.#context;
    const clock = await this.#meterClock();
    return { reader: this.#reader, profile: this.#profile, crypto, clock, now: () => ours.now() };
  }

  async #setClock(order: Extract<Operation, { readonly kind: "setClock" }>): Promise<OperationResult> {
    const { clockSetting } = this.#profile;
    if (clockSetting === undefined)
      throw new SessionError(
        "unsupported",
        "profile.no-clock-setting",
        "the device profile says no way to set a clock",
      );
    const parts = {
      reader: this.#reader,
      procedures: this.#procedures,
      clock: this.#context.clock,
      read: () => this.#clockAnew(),
      sets: await this.#clockedSets(),
      setsToday: async () => (await this.#setsOfDay()).length,
    };
    const clockSet = await setClock(parts, clockSetting, order);
    const isRight = clockSet.afterMs === clockSet.beforeMs;
    return this.#result({ clockSet, ...(isRight ? await this.#marksOfDay(parts.sets) : {}) });
  }

  /** The extended interval status says that the clock was put forward or back, where the meter has it. */
  async #clockedSets(): Promise<readonly ClockedSet[]> {
    const { loadProfiles } = this.#profile;
    if (loadProfiles.length > 0) await this.#reader.prepare(loadProfiles.map(({ set }) => 63 + set));
    const limits = this.#reader.known(61) ?? {};
    const marked = valueAt(limits, "LP_FLAGS.EXTENDED_INT_STATUS_FLAG") === true;
    return loadProfiles.map(({ channelSet, period }) => ({ channelSet, period, marked }));
  }

  #shown(): number {
    return this.#clock?.shown ?? this.#context.clock.now();
  }

  /** When the clock was set in the last 24 h, by the meter's own logs; a model without has no say. */
  async #setsOfDay(): Promise<readonly number[]> {
    if (this.#profile.logs === undefined) return [];
    const to = this.#shown();
    return clockSets((await this.#readEvents({ kind: "readEvents", range: { from: to - DAY_MS, to } })).events ?? []);
  }

  /** Intervals in which the clock was set lately, read back for the status that says so. */
  async #marksOfDay(sets: readonly ClockedSet[]): Promise<Partial<OperationResult>> {
    const at = await this.#setsOfDay();
    const range = rangeOfMarks(sets, at, this.#shown());
    if (range === undefined) return {};
    const { intervals, refusals } = await this.#readIntervals({ kind: "readIntervals", range });
    return { intervals, refusals: [...refusals, ...unmarked(sets, at, intervals)] };
  }

  async #readRegisters({ measurements }: ReadRegisters): Promise<OperationResult> {
    const wanted = wantedRegisters(this.#profile, measurements);
    const read = await readRegisters(this.#reader, wanted.registers, () => this.#meterClock());
    return this.#result({ registers: read.registers, refusals: [...wanted.refusals, ...read.refusals] });
  }

  async #readIntervals({ range, registers }: ReadIntervals): Promise<OperationResult> {
    const clock = await this.#meterClock();
    const intervals: IntervalSet[] = [];
    const refusals: Refusal[] = [];
    const now = clock.shown ?? this.#context.clock.now();
    for (const profile of this.#profile.loadProfiles) {
      const read = await readIntervals(this.#reader, profile, clock, now, range, this.#context.onIntervals);
      if (read.intervals !== undefined) intervals.push(read.intervals);
      refusals.push(...read.refusals);
    }
    if (registers === undefined) return this.#result({ intervals, refusals });
    const wanted = wantedRegisters(this.#profile, registers);
    const read = await readRegisters(this.#reader, wanted.registers, () => this.#meterClock());
    return this.#result({
      intervals,
      registers: read.registers,
      refusals: [...refusals, ...wanted.refusals, ...read.refusals],
    });
  }

  /**
   * Opening the session has read table 0 past the interface; for the metrology a register answers once more, and with it
   * the voltages that the profile maps. That nothing comes is the answer of a module whose meter is dead.
   */
  async #ping(depth: "network" | "meter"): Promise<OperationResult> {
    const accepted = this.#context.link.kind === "stream" ? (["tcp-accept"] as const) : [];
    const module = [...accepted, "module-answer"] as const;
    if (depth === "network") return this.#result({ evidence: module });
    const [first] = this.#profile.registers;
    const voltages = this.#mappedVoltages();
    const wanted = [...(first === undefined ? [] : [first.measurement]), ...voltages];
    return pingMeter(module, wanted[0] ?? "registers", async () => {
      const result = await this.#readRegisters({ kind: "readRegisters", measurements: [...new Set(wanted)] });
      const registers = result.registers.filter(({ measurement }) => voltages.includes(measurement));
      return { answered: result.registers.length > 0, result: { ...result, registers } };
    });
  }

  #result(part: Partial<OperationResult>): OperationResult {
    return {
      registers: [],
      intervals: [],
      refusals: [],
      ...part,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
      ...this.#clock?.difference,
    };
  }
}

/** Data that do not fit their layout are the meter's fault. */
async function fitting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof WireError ? conversationError(error, true) : error;
  }
}

/** The C12.22 part of the meter's profile, and its title. Throws `SessionError`. */
function enrolled({ profile, systemTitle: meterTitle }: C1222Context) {
  if (profile.protocol !== "c1222")
    throw new SessionError("internal", "c1222.profile", `expected a C12.22 device profile, got ${profile.name}`);
  if (meterTitle === undefined) throw new SessionError("auth", "c1222.title-missing", "expected an enrolled ApTitle");
  return { profile, meterTitle };
}

async function identify(context: C1222Context): Promise<void> {
  const { profile, meterTitle } = enrolled(context);
  await identifyModule(context, meterTitle, profile.c1222.access.callingApTitle);
}

async function open(context: C1222Context): Promise<MeterSession> {
  const { profile, meterTitle } = enrolled(context);
  const { access } = profile.c1222;
  const preface = prefaceOf(context, access.userId);
  const begin = async (recoverySession: boolean): Promise<MeterSession> => {
    const exchange = new Exchange({
      context,
      meterTitle,
      ownTitle: access.callingApTitle,
      securityMode: SECURITY_MODES[access.security],
      key: enrolledKey(access, context.keys, context.crypto),
      recoverySession,
    });
    const reader = new TableReader(exchange, profile.c1222, () => preface);
    const release = await logOn(context, exchange, access.session);
    await reader.begin();
    return new C1222MeterSession(reader, profile.c1222, context, release);
  };
  return fitting(async () => {
    try {
      return await begin(false);
    } catch (error) {
      const mayBeLate = error instanceof SessionError && error.reason === "timeout";
      if (!mayBeLate || context.recoversClock !== true || access.recovery === undefined) throw error;
      return begin(true);
    }
  });
}

/**
 * ANSI C12.22, each message secured by itself, without a session or within one as the profile's access says. `open` logs
 * on where there is one and reads table 0, under the meter's key where the profile secures; it throws `SessionError` with a code `c1222.…`, or `LinkError`. The caller closes the link.
 */
export const c1222Driver: Driver = { protocol: "c1222", open, identify };
