import type { Deployment, JobView } from "../e2e/deployment.ts";
import type { Benchmark } from "./benchmark.ts";
import { figuresOf, ratiosOf } from "./on-demand.ts";
import { allTo, endsOf, NO_GUARDS, order, PROVING, switchFleet } from "./switch-fleet.ts";

const READ = { kind: "readRegisters" } as const;

interface Steady {
  readonly ms: readonly number[];
  readonly failed: number;
  /** How late the last submission was, ms: whether this machine kept the pace. */
  readonly lateMs: number;
}

/** Opens at a steady pace, so many a second, whatever becomes of the ones before. */
async function opened(headend: Deployment, meterIds: readonly string[], pace: number): Promise<Steady> {
  const begun = performance.now();
  let lateMs = 0;
  const submitted = meterIds.map(async (meterId, index) => {
    const due = (index * 1000) / pace;
    await new Promise((resolve) => setTimeout(resolve, due));
    lateMs = Math.max(lateMs, performance.now() - begun - due);
    return (await order(headend, meterId, "open")).jobId;
  });
  return { ...(await endsOf(headend, await Promise.all(submitted))), lateMs: Math.round(lateMs) };
}

/** A job over the whole fleet in a lane, again as soon as it is over, until `stop` is called. */
function kept(headend: Deployment, lane: "bulk" | "images"): { stop(): Promise<number> } {
  let over = false;
  const run = async (): Promise<number> => {
    let jobs = 0;
    while (!over) {
      const { status, body } = await headend.call<JobView>("analyst", "POST", "/jobs", {
        operation: READ,
        target: { kind: "all" },
        lane,
      });
      if (status !== 202) throw new Error(`POST /jobs: ${status} ${JSON.stringify(body)}`);
      await headend.jobEnd(body.jobId, 900_000);
      jobs++;
    }
    return jobs;
  };
  const running = run();
  return {
    stop() {
      over = true;
      return running;
    },
  };
}

/** Disconnects at a steady pace: alone, and while a bulk read and a full images lane run. */
export const switchSteady: Benchmark = {
  name: "switch-steady",
  about:
    "disconnects at a steady pace, alone and beside a bulk read and a full images lane (--meters 2000 --singles 1000 --pace 20)",
  async run(say, { meters = 2_000, singles = 1_000, pace = 20 }) {
    const { headend, proving } = await switchFleet(meters, NO_GUARDS);
    try {
      const model = new Map(proving.map(({ meterId, profile }) => [meterId, PROVING[profile.name]]));
      const own = [...model.keys()];
      const halves = (["dlms", "c1222"] as const).map((protocol) => own.filter((id) => model.get(id) === protocol));
      // Turn and turn about, so that both protocols are always there.
      const turns = own.map((_, index) => halves[index % 2]?.[index >> 1]).filter((id) => id !== undefined);
      const meterIds = turns.slice(0, singles);
      say("warming up");
      await allTo(headend, meterIds.slice(0, 40), "open");
      await allTo(headend, meterIds.slice(0, 40), "closed");
      say(`${meterIds.length} disconnects at ${pace} a second, alone`);
      const alone = await opened(headend, meterIds, pace);
      say("closing them again");
      const closed = await allTo(headend, meterIds, "closed");
      say("the same beside a bulk read and a full images lane");
      const lanes = [kept(headend, "bulk"), kept(headend, "images")];
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const loaded = await opened(headend, meterIds, pace);
      const [bulk = 0, images = 0] = await Promise.all(lanes.map((lane) => lane.stop()));
      return {
        mix:
          `${meterIds.length} jobs of one meter (operateSwitch open, commands lane) at ${pace} a second, DLMS and C12.22 in turn, ` +
          "timed by the job's own stamps from its acceptance until its verified outcome closed it; beside it: readRegisters of " +
          `${meters} meters in the bulk lane and the same in the images lane, again and again; everything on this machine`,
        figures: [
          ...figuresOf("disconnect alone", alone.ms),
          ...figuresOf("disconnect with load", loaded.ms),
          { name: "not verified", value: alone.failed + loaded.failed, unit: "orders" },
          { name: "closed again between", value: closed, unit: "switches" },
          { name: "latest submission alone", value: alone.lateMs, unit: "ms" },
          { name: "latest submission with load", value: loaded.lateMs, unit: "ms" },
          { name: "bulk jobs meanwhile", value: bulk, unit: "jobs" },
          { name: "images jobs meanwhile", value: images, unit: "jobs" },
        ],
        ratios: ratiosOf("disconnect", loaded.ms, alone.ms),
      };
    } finally {
      await headend.stop();
    }
  },
};
