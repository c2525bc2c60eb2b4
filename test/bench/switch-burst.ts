import type { Benchmark } from "./benchmark.ts";
import { figuresOf } from "./on-demand.ts";
import { allTo, endsOf, NO_GUARDS, order, orderTo, switchFleet, writesSoFar } from "./switch-fleet.ts";

/** Submissions under way at once. */
const CLIENTS = 32;

/** A thousand disconnects at once: as single orders, and as one job. */
export const switchBurst: Benchmark = {
  name: "switch-burst",
  about: "disconnects all at once, as single orders and as one job (--meters 2000 --singles 1000)",
  async run(say, { meters = 2_000, singles = 1_000 }) {
    const { headend, proving } = await switchFleet(meters, NO_GUARDS);
    try {
      const meterIds = proving.map(({ meterId }) => meterId).slice(0, Math.min(singles, 1_000));
      say("warming up");
      await allTo(headend, meterIds.slice(0, 40), "open");
      await allTo(headend, meterIds.slice(0, 40), "closed");

      say(`${meterIds.length} single orders at once`);
      const writesBefore = await writesSoFar(headend);
      const begun = Date.now();
      const jobIds: string[] = [];
      const waiting = meterIds[Symbol.iterator]();
      const client = async (): Promise<void> => {
        for (let next = waiting.next(); next.done !== true; next = waiting.next())
          jobIds.push((await order(headend, next.value, "open")).jobId);
      };
      await Promise.all(Array.from({ length: CLIENTS }, client));
      const accepted = Date.now() - begun;
      const single = await endsOf(headend, jobIds);
      const singleWrites = (await writesSoFar(headend)) - writesBefore;
      const singleMs = await lastOf(jobIds, begun);

      say("as one job, back again");
      const jobBefore = await writesSoFar(headend);
      const job = await headend.runJob(
        { operation: orderTo("closed"), target: { kind: "meters", meterIds }, reason: "benchmark" },
        600_000,
      );
      const { createdAt, closedAt } = job as typeof job & { readonly createdAt: string; readonly closedAt: string };
      const jobWrites = (await writesSoFar(headend)) - jobBefore;
      const each = (writes: number): number => Math.round((writes / meterIds.length) * 100) / 100;
      return {
        mix:
          `${meterIds.length} jobs of one meter (operateSwitch open) sent by ${CLIENTS} clients as fast as they are taken, then one job ` +
          "(operateSwitch closed) of the same meters; DLMS and C12.22 as the town has them; no caps, no approval; writes: requests " +
          "that write an item of any table, ticks and their sweeps included; everything on this machine",
        figures: [
          { name: "single: all accepted", value: accepted, unit: "ms" },
          { name: "single: to the last verified", value: singleMs, unit: "ms" },
          ...figuresOf("single", single.ms),
          { name: "single: not verified", value: single.failed, unit: "orders" },
          { name: "single: writes a command", value: each(singleWrites), unit: "writes" },
          { name: "one job: to the last verified", value: Date.parse(closedAt) - Date.parse(createdAt), unit: "ms" },
          { name: "one job: not verified", value: meterIds.length - job.progress.done, unit: "orders" },
          { name: "one job: writes a command", value: each(jobWrites), unit: "writes" },
        ],
        ratios: {},
      };

      async function lastOf(ids: readonly string[], from: number): Promise<number> {
        let last = from;
        for (const jobId of ids) {
          const { body } = await headend.call<{ readonly closedAt?: string }>("operator", "GET", `/jobs/${jobId}`);
          last = Math.max(last, Date.parse(body.closedAt ?? ""));
        }
        return last - from;
      }
    } finally {
      await headend.stop();
    }
  },
};
