import type { Deployment, JobView } from "../e2e/deployment.ts";
import { until } from "../e2e/deployment.ts";
import { personToken } from "../e2e/person.ts";
import type { Benchmark } from "./benchmark.ts";
import { NO_GUARDS, order, orderTo, setGuards, switchFleet, type WitnessedSwitch, witnessed } from "./switch-fleet.ts";

const MINUTE_MS = 60_000;
/** Of the whole deployment once the job is approved, and of one caller who sends single orders. */
const A_MINUTE = 300;
const A_CLIENT = 60;
/** How long the approved job may go on before the stop: more than one window of the guard. */
const GOES_MS = 100_000;
/** After the stop: longer than any conversation that was under way. */
const QUIET_MS = 20_000;

/** Most switches that moved in any minute. */
function mostInAMinute(moves: readonly WitnessedSwitch[]): number {
  const at = moves.map(({ movedAt }) => movedAt).sort((left, right) => left - right);
  let [most, first] = [0, 0];
  for (const [last, moved] of at.entries()) {
    while ((at[first] ?? moved) <= moved - MINUTE_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

async function approve(headend: Deployment, jobId: string, people: readonly string[]): Promise<void> {
  const { body } = await headend.call<{ readonly approval: { readonly digest?: string } }>(
    "operator",
    "GET",
    `/jobs/${jobId}`,
  );
  for (const name of people) {
    const authorization = `Bearer ${await personToken(headend, name)}`;
    const headers = { authorization, "content-type": "application/json" };
    const text = JSON.stringify({ digest: body.approval.digest });
    const answer = await headend.request("POST", `/jobs/${jobId}/approve`, headers, text);
    if (answer.status !== 202) throw new Error(`${name} approves: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

/** A try to open a whole fleet: what guards, approvals and the emergency stop make of it. */
export const switchGuard: Benchmark = {
  name: "switch-guard",
  about: "a try to open a whole fleet, as one job and one by one (--meters 5000 --singles 5000)",
  async run(say, { meters = 5_000, singles = 5_000 }) {
    const caps = { perMinute: A_MINUTE, perHour: 20_000 };
    const client = { perMinute: A_CLIENT, perHour: 2 * A_CLIENT };
    const guards = {
      ...NO_GUARDS,
      opening: { ...NO_GUARDS.opening, all: caps, client },
      approveAbove: 10,
      approveTwiceAbove: 500,
    };
    const { headend, proving } = await switchFleet(meters, guards);
    try {
      say(`one job to open all ${meters}`);
      const begun = Date.now();
      const accepted = await headend.call<JobView>("operator", "POST", "/jobs", {
        operation: orderTo("open"),
        target: { kind: "all" },
        reason: "a slip of the hand",
      });
      const { jobId } = accepted.body;
      const asked = await until(120_000, "the job to wait for approval", async () => {
        const { body } = await headend.call<{ approval?: { digest?: string; needed: number } }>(
          "operator",
          "GET",
          `/jobs/${jobId}`,
        );
        return body.approval?.digest === undefined ? undefined : body.approval;
      });
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const unapproved = (await witnessed(headend)).length;

      say("approved by two people");
      await approve(headend, jobId, ["supervisor", "supervisor-2"]);
      await new Promise((resolve) => setTimeout(resolve, GOES_MS));

      say("emergency stop");
      const stop = await headend.call<{ stopId: string }>("operator", "POST", "/stops", {
        acts: "opening",
        reason: "a whole town goes dark",
      });
      const stoppedAt = Date.now(); // it was committed before this
      if (stop.status !== 201) throw new Error(`POST /stops: ${stop.status} ${JSON.stringify(stop.body)}`);
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      const moves = (await witnessed(headend)).filter(({ movedAt }) => movedAt >= begun);
      const after = moves.filter(({ movedAt }) => movedAt > stoppedAt).length;
      await headend.call("operator", "POST", `/jobs/${jobId}/cancel`);
      const lifted = await headend.call("supervisor", "POST", `/stops/${stop.body.stopId}/lift`, {
        reason: "it is over",
      });
      if (lifted.status !== 200) throw new Error(`lift: ${lifted.status} ${JSON.stringify(lifted.body)}`);

      // The room of the job above is not what single orders are measured by.
      await setGuards(headend, { ...guards, opening: { ...guards.opening, all: NO_GUARDS.opening.all } });
      const known = new Set(moves.map(({ meterId }) => meterId));
      const closed = proving.filter(({ meterId }) => !known.has(meterId)).map(({ meterId }) => meterId);
      say(`${singles} single orders, one by one, to ${closed.length} meters that are closed`);
      const from = Date.now();
      let goes = 0;
      for (let sent = 0; sent < singles; sent++)
        if ((await order(headend, closed[sent % closed.length] ?? "", "open")).goes) goes++;
      const tookMs = Date.now() - from;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      const single = (await witnessed(headend)).filter(({ meterId }) => !known.has(meterId));
      return {
        mix:
          `one job (operateSwitch open) of ${meters} meters by a machine client, caps ${A_MINUTE} a minute for all; two supervisors ` +
          `approve it, ${GOES_MS / 1000} s later an operator stops opening; then ${singles} jobs of one meter, one after the other, by the ` +
          `same client, cap ${A_CLIENT} a minute and ${2 * A_CLIENT} an hour a client; what moved is the simulated meters' own word; ` +
          "everything on this machine",
        figures: [
          { name: "approvals needed", value: asked.needed, unit: "people" },
          { name: "opened before the approval", value: unapproved, unit: "meters" },
          { name: "opened until the stop", value: moves.length - after, unit: "meters" },
          { name: "most opened in a minute", value: mostInAMinute(moves), unit: "meters" },
          { name: "allowed in a minute", value: A_MINUTE, unit: "meters" },
          { name: "opened after the stop was committed", value: after, unit: "meters" },
          { name: "single: asked", value: singles, unit: "orders" },
          { name: "single: asking took", value: Math.round(tookMs / 1000), unit: "s" },
          { name: "single: let go at once", value: goes, unit: "orders" },
          { name: "single: wait for another person", value: singles - goes, unit: "orders" },
          { name: "single: opened", value: single.length, unit: "meters" },
          { name: "single: allowed in an hour", value: 2 * A_CLIENT, unit: "orders" },
        ],
        ratios: {},
      };
    } finally {
      await headend.stop();
    }
  },
};
