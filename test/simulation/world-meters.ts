import type { Dial } from "../../shared/bridge/dial.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import type { Driver } from "../../shared/metering/driver.ts";
import { SessionError } from "../../shared/metering/failure.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { COUNTER_REFUSED } from "../../shared/security/counters.ts";
import { lives } from "./memory-lane.ts";

/** How a meter of the world behaves. It is strict: a counter at or below its last is refused, and one used twice is an alarm. */
export interface WorldMeter {
  readonly item: AccessItem;
  /** Duration of a session, ms. */
  latencyMs: number;
  /** What happens at the n-th dial; beyond the list: it answers. */
  script: ("unreachable" | "silent" | "drops" | "refused" | "greedy" | "nonsense")[];
  /** Highest counter accepted. */
  lastCounter: number;
  dials: number;
  readonly dialledAt: number[];
  busy: number;
}

/** The meters of a world, and a driver that speaks to them. */
export class WorldMeters {
  readonly byId = new Map<string, WorldMeter>();
  /** Every counter that any AEAD call used, a meter. */
  readonly counters = new Map<string, Set<number>>();
  /** Violations seen by the meters. */
  readonly repeated: string[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: AccessItem, behaviour: Partial<WorldMeter>): WorldMeter {
    const base = { latencyMs: 200, script: [], lastCounter: -1, dials: 0, dialledAt: [], busy: 0 };
    const meter: WorldMeter = { item, ...base, ...behaviour };
    this.byId.set(item.meterId, meter);
    return meter;
  }

  /** The system closes the sockets of a killed bridge. */
  hangUp(): void {
    for (const meter of this.byId.values()) meter.busy = 0;
  }

  driver(gone: AbortSignal): Driver {
    const clock = this.#clock;
    return {
      protocol: "dlms",
      open: async (context) => {
        const meter = [...this.byId.values()].find(({ item }) => item.systemTitle === context.systemTitle)!;
        const what = meter.script[meter.dials - 1];
        const draw = (): void => {
          const counter = context.counters.next();
          const used = this.counters.get(meter.item.meterId) ?? new Set();
          this.counters.set(meter.item.meterId, used);
          if (used.has(counter)) this.repeated.push(`${meter.item.meterId} ${counter}`);
          used.add(counter);
          if (counter <= meter.lastCounter || what === "refused")
            throw new SessionError("auth", `test${COUNTER_REFUSED}`, "too low", {
              detail: { expectedCounter: meter.lastCounter + 1 },
            });
          meter.lastCounter = counter;
        };
        if (context.keys !== undefined) for (let call = 0; call < 3; call++) draw();
        context.onFrame?.("sent", new Uint8Array([1, 2, 3]));
        await clock.sleep(meter.latencyMs / 2);
        await lives(gone);
        await context.link.send(new Uint8Array());
        if (what === "silent") {
          await clock.sleep(context.responseTimeoutMs);
          await lives(gone);
          throw new LinkError("link.timeout", "no answer");
        }
        context.onFrame?.("received", new Uint8Array([4]));
        if (what === "drops") throw new LinkError("link.closed", "closed");
        return {
          async perform() {
            await clock.sleep(meter.latencyMs / 2);
            await lives(gone);
            await context.link.send(new Uint8Array());
            if (what === "greedy") for (let call = 0; call < 5_000; call++) draw();
            else if (context.keys !== undefined) draw();
            const value = what === "nonsense" ? (Number.NaN as unknown as bigint) : 42n;
            return {
              registers: [{ measurement: "energy.active.import.total", value, scaler: 0 }],
              intervals: [],
              refusals: [],
            };
          },
          async release() {},
        };
      },
    };
  }

  dial(gone: AbortSignal): Dial {
    const clock = this.#clock;
    return async (route, deadline) => {
      await lives(gone);
      const meter = [...this.byId.values()].find(({ item }) => item.routes.some((known) => known === route))!;
      meter.dials++;
      meter.dialledAt.push(clock.now());
      if (meter.script[meter.dials - 1] === "unreachable") {
        await clock.sleep(Math.min(100, deadline - clock.now()));
        throw new LinkError("link.unreachable", "refused");
      }
      if (meter.busy > 0) this.repeated.push(`${meter.item.meterId} has two sessions at once`);
      meter.busy++;
      let open = true;
      const link: Link = {
        kind: "stream",
        async send() {
          if (!open) throw new LinkError("link.closed", "closed by ourselves");
        },
        receive: () => Promise.reject(new LinkError("link.closed", "the driver of this world receives nothing")),
        async close() {
          if (open) meter.busy--;
          open = false;
        },
      };
      return link;
    };
  }
}
