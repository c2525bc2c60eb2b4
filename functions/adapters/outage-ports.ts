import { z } from "zod";
import type { SubmitPorts } from "../../shared/jobs/submit-job.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { OUTAGE_POLICY } from "../../shared/outage/evaluate-feeder.ts";
import type { OutagePorts } from "../../shared/outage/run-outages.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { outageReaders } from "./outage-readers.ts";
import { settings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";

/** Who asks meters for the detection of outages. */
export const DETECTION = { id: "headrace", name: "outage detection", roles: ["operator"] } as const;
/** An answer that comes later is of no use to the question. */
const PING_MS = 300_000;

/** Asks in the urgent lane, within the permits of ways in: never in that of orders. The same key is the same question. */
export function outagePorts(jobs: SubmitPorts): OutagePorts {
  const { OUTAGE_HOLD_SECONDS } = settings({ OUTAGE_HOLD_SECONDS: z.coerce.number().int().min(1).max(3600) });
  return {
    ...outageReaders(),
    crypto: nodeCrypto,
    policy: { ...OUTAGE_POLICY, holdMs: OUTAGE_HOLD_SECONDS * 1000 },
    async ping(meterIds, key) {
      const asked = await submitJob(
        jobs,
        { ...DETECTION, roles: [...DETECTION.roles] },
        {
          operation: { kind: "ping", depth: "meter" },
          target: { kind: "meters", meterIds: [...meterIds] },
          lane: "urgent",
          retry: { passes: 1 },
          deadline: systemClock.now() + PING_MS,
          reason: "Outage detection asks who has supply.",
          idempotencyKey: key,
        },
      );
      if (asked.kind === "accepted" || asked.because === "idempotency-conflict") return;
      if (asked.because === "unknown-meter") return; // retired meanwhile
      throw new HeadraceError("outage.ping-refused", `expected to ask meters, was refused: ${asked.because}`, {
        retry: "later",
      });
    },
  };
}
