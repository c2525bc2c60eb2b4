import type { RequestSent, ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { CAUTIOUS } from "../../shared/switching/authority.ts";
import { DEFAULT_GUARDS } from "../../shared/switching/guard.ts";

type Authority = ResponseReceived<Routes["readAuthority"]>;
const AT = "2026-11-28T08:00:00.000Z";

/** Stops and a moratorium that a supervisor has set. */
export class FixtureSafety {
  #stops: Authority["stops"] = [];
  readonly #moratoria: Authority["moratoria"] = [
    {
      moratoriumId: "1",
      calendar: {
        name: "winter",
        timeZone: "Europe/Vienna",
        dates: ["2026-12-24"],
        seasons: [{ from: "11-01", to: "03-31" }],
        daily: [{ from: "18:00", to: "08:00" }],
      },
      reason: "nobody freezes",
      by: { id: "supervisor" },
      at: AT,
    },
  ];

  answer(stopId: string | undefined, body: unknown): { readonly status: number; readonly body: unknown } {
    if (stopId !== undefined) this.#stops = this.#stops.filter((stop) => stop.stopId !== stopId);
    else if (body !== undefined) {
      const { acts, reason, feeder } = body as RequestSent<Routes["setStop"]>;
      const stop = {
        stopId: "a1",
        acts,
        reason,
        ...(feeder === undefined ? {} : { feeder }),
        by: { id: "me" },
        at: AT,
      };
      this.#stops = [...this.#stops, stop];
      return { status: 201, body: stop };
    }
    const stands: Authority = {
      epoch: 1,
      region: "local",
      stops: this.#stops,
      moratoria: this.#moratoria,
      policy: CAUTIOUS,
      guards: DEFAULT_GUARDS,
    };
    return { status: 200, body: stands };
  }
}
