import type { C1222Profile } from "../metering/c1222-profile.ts";
import type { Driver, MeterSession, SessionContext } from "../metering/driver.ts";
import { SessionError } from "../metering/failure.ts";
import type { Operation } from "../metering/operation.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import type { IntervalSet, OperationResult } from "../metering/result.ts";
import { parseHex } from "../ports/octets.ts";
import { WireError } from "../wire/wire-error.ts";
import { enrolledKey, SECURITY_MODES } from "./client/enrolled-key.ts";
import { conversationError, Exchange } from "./client/exchange.ts";
import { type MeterClock, readClock } from "./client/meter-clock.ts";
import { readIntervals } from "./client/read-intervals.ts";
import { readRegisters, wantedRegisters } from "./client/read-registers.ts";
import { type Refusal, TableReader } from "./client/table-reader.ts";
import type { Request } from "./services/request.ts";
import { PASSWORD_OCTETS } from "./services/security.ts";

type ReadIntervals = Extract<Operation, { readonly kind: "readIntervals" }>;
type ReadRegisters = Extract<Operation, { readonly kind: "readRegisters" }>;

const BLANK = 0x20;

type C1222Context = SessionContext<DeviceProfile>;

/** The operations on one meter, by the words of its device profile. */
class C1222MeterSession implements MeterSession {
  readonly #reader: TableReader;
  readonly #profile: C1222Profile["c1222"];
  readonly #context: C1222Context;
  #clock: MeterClock | undefined;
  #clockOffsetMs: number | undefined;

  constructor(reader: TableReader, profile: C1222Profile["c1222"], context: C1222Context) {
    this.#reader = reader;
    this.#profile = profile;
    this.#context = context;
  }

  async perform(operation: Operation): Promise<OperationResult> {
    try {
      switch (operation.kind) {
        case "readRegisters":
          return await this.#readRegisters(operation);
        case "readIntervals":
          return await this.#readIntervals(operation);
        case "ping":
          return await this.#ping(operation.depth);
        default:
          throw new SessionError("unsupported", "c1222.operation", "this driver does not know the operation");
      }
    } catch (error) {
      // Table data that do not fit their layout.
      throw error instanceof WireError ? conversationError(error, true) : error;
    }
  }

  /** There is no session to end: each message stands alone. */
  async release(): Promise<void> {}

  async #meterClock(): Promise<MeterClock> {
    if (this.#clock !== undefined) return this.#clock;
    this.#clock = await readClock(this.#reader, this.#profile.clock);
    const { shown } = this.#clock;
    if (shown !== undefined) this.#clockOffsetMs = shown - this.#context.clock.now();
    return this.#clock;
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
      const read = await readIntervals(this.#reader, profile, clock, now, range);
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

  /** Opening the session has read table 0 past the interface; a register's table answers once more for the metrology. */
  async #ping(depth: "network" | "meter"): Promise<OperationResult> {
    const accepted = this.#context.link.kind === "stream" ? (["tcp-accept"] as const) : [];
    if (depth === "network") return this.#result({ evidence: [...accepted, "module-answer"] });
    const [register] = this.#profile.registers;
    const [answer] = register === undefined ? [] : await this.#reader.readOctets([register.table]);
    if (answer?.kind === "octets") return this.#result({ evidence: [...accepted, "module-answer", "meter-answer"] });
    const refusals =
      answer === undefined || register === undefined ? [] : [{ item: register.measurement, code: answer.code }];
    return this.#result({ evidence: [...accepted, "module-answer"], refusals });
  }

  #result(part: Partial<OperationResult>): OperationResult {
    return {
      registers: [],
      intervals: [],
      refusals: [],
      ...part,
      ...(this.#clockOffsetMs === undefined ? {} : { clockOffsetMs: this.#clockOffsetMs }),
    };
  }
}

/** A password before the services of each message, where the profile names a user. */
function prefaceOf({ keys }: C1222Context, userId: number | undefined): readonly Request[] {
  if (userId === undefined) return [];
  const secret = keys?.llsSecret === undefined ? undefined : parseHex(keys.llsSecret);
  if (secret === undefined || secret.length > PASSWORD_OCTETS)
    throw new SessionError(
      "auth",
      "c1222.password-missing",
      `expected an enrolled secret of at most ${PASSWORD_OCTETS} octets`,
    );
  const password = new Uint8Array(PASSWORD_OCTETS).fill(BLANK);
  password.set(secret);
  return [{ service: "security", password, userId }];
}

async function open(context: C1222Context): Promise<MeterSession> {
  const { profile } = context;
  if (profile.protocol !== "c1222")
    throw new SessionError("internal", "c1222.profile", `expected a C12.22 device profile, got ${profile.name}`);
  const { access } = profile.c1222;
  const meterTitle = context.systemTitle;
  if (meterTitle === undefined) throw new SessionError("auth", "c1222.title-missing", "expected an enrolled ApTitle");
  const exchange = new Exchange({
    context,
    meterTitle,
    ownTitle: access.callingApTitle,
    securityMode: SECURITY_MODES[access.security],
    key: enrolledKey(access, context.keys, context.crypto),
  });
  const preface = prefaceOf(context, access.userId);
  const reader = new TableReader(exchange, profile.c1222, () => preface);
  try {
    await reader.begin();
  } catch (error) {
    throw error instanceof WireError ? conversationError(error, true) : error;
  }
  return new C1222MeterSession(reader, profile.c1222, context);
}

/**
 * ANSI C12.22 without sessions, each message secured by itself. `open` reads table 0, under the meter's key where the
 * profile secures; it throws `SessionError` with a code `c1222.…`, or `LinkError`. The caller closes the link.
 */
export const c1222Driver: Driver = { protocol: "c1222", open };
