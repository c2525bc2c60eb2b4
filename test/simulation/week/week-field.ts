import type { Dial } from "../../../shared/bridge/dial.ts";
import type { Driver } from "../../../shared/metering/driver.ts";
import { type Link, LinkError } from "../../../shared/ports/link.ts";
import { below, chance, seeded } from "../../../shared/ports/random.ts";
import type { Meters } from "../bridges.ts";
import type { CounterInvariants } from "../counter-invariants.ts";
import type { SimulatedProcess } from "../simulated-process.ts";
import type { FieldMeter } from "./field-meter.ts";
import { ProtocolMeter } from "./protocol-meter.ts";
import type { WeekPlan } from "./week-plan.ts";

/** How a meter's network is for a while. */
type Weather = "fair" | "unreachable" | "silent" | "interrupted";
/** So long it stays as it is: longer than all tries of one job. */
const SPELL_MS = 2 * 3_600_000;
const LOST_SHARE = 0.05;
const SESSIONS = 64;
/** Frames of ours that get through before a conversation is interrupted. */
const INTERRUPTED_AFTER = 1;

export function weatherAt(seed: number, port: number, now: number): Weather {
  const random = seeded(`weather ${seed} ${port} ${Math.floor(now / SPELL_MS)}`);
  if (!chance(random, LOST_SHARE)) return "fair";
  return (["unreachable", "silent", "interrupted"] as const)[below(random, 3)] ?? "unreachable";
}

/** The meters where they hang, and the ways to them: 5 % of all sessions are lost, two collectors are dark for a day. */
export class WeekField {
  readonly meters: FieldMeter[] = [];
  /** Sessions begun, and those of them that the network lost. */
  readonly sessions = { begun: 0, lost: 0, dark: 0 };
  readonly #plan: WeekPlan;
  readonly #now: () => number;

  constructor(plan: WeekPlan, now: () => number) {
    this.#plan = plan;
    this.#now = now;
  }

  /** Who answers at a port now. */
  #there(port: number): FieldMeter {
    const now = this.#now();
    const found = this.meters.findLast((meter) => meter.port === port && meter.from <= now && now < meter.until);
    if (found === undefined) throw new LinkError("link.unreachable", "nobody listens there");
    return found;
  }

  isDark({ collector }: FieldMeter, at: number): boolean {
    return this.#plan.dark.some((dark) => dark.collector === collector && at >= dark.from && at < dark.to);
  }

  dial(process: SimulatedProcess): Dial {
    return async ({ port }) => {
      this.sessions.begun++;
      await process.later(1 + (port % 80));
      const there = this.#there(port);
      if (this.isDark(there, this.#now())) {
        this.sessions.dark++;
        throw new LinkError("link.unreachable", "its collector is dark");
      }
      const weather = weatherAt(this.#plan.seed, port, this.#now());
      if (weather !== "fair") this.sessions.lost++;
      if (weather === "unreachable") throw new LinkError("link.unreachable", "refused");
      return through(weather, await there.dial(process.clock), process);
    };
  }

  drivers(): readonly Driver[] {
    const byTitle = (title: string | undefined): FieldMeter => {
      const found = this.meters.find((meter) => meter.title === title);
      if (found === undefined) throw new Error(`no meter has the title ${title}`);
      return found;
    };
    return (["dlms", "c1222"] as const).map((protocol) => ({
      protocol,
      open: async (context) => byTitle(context.systemTitle).open(context),
    }));
  }

  /** As the bridges have them. */
  ports(counters: CounterInvariants): Meters {
    return {
      items: [],
      sessions: SESSIONS,
      drivers: () => this.drivers(),
      dial: (process) => this.dial(process),
      keys: (meterId) => this.meters.find((meter) => meter.meterId === meterId)?.keys ?? {},
      check: () => {
        for (const meter of this.meters) if (meter instanceof ProtocolMeter) meter.check(counters);
      },
    };
  }
}

/** A link through this weather: each request takes its way; some bring no answer. */
function through(weather: Exclude<Weather, "unreachable">, link: Link, process: SimulatedProcess): Link {
  const { clock } = process;
  let sent = 0;
  return {
    ...link,
    async send(octets) {
      await process.later(20 + (sent % 7) * 30);
      if (weather === "silent") {
        await clock.sleep(10_000);
        throw new LinkError("link.timeout", "the meter is silent");
      }
      if (weather === "interrupted" && ++sent > INTERRUPTED_AFTER) {
        await link.close();
        throw new LinkError("link.closed", "the connection is lost");
      }
      return link.send(octets);
    },
  };
}
