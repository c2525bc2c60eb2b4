import type { AccessStore } from "../jobs/access.ts";
import type { OrderGate } from "../jobs/approval.ts";
import { piecesOf } from "../jobs/concurrency.ts";
import type { JobId } from "../jobs/job.ts";
import { isCredit } from "../metering/operation.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { AuditLog } from "../security/audit.ts";
import type { GuardSettings } from "./guard.ts";
import type { GuardDesk } from "./guard-desk.ts";
import { actDetail, switchAct, takesSupply } from "./switch-act.ts";

/** So many meters of one job are asked about at once: their guards are then written together. */
const TOGETHER = 100;

/** Names a task in guards: the same whoever asks. */
export const taskNames =
  (crypto: Crypto) =>
  (jobId: JobId, segment: number, slot: number): string =>
    toHex(crypto.hash("sha256", new TextEncoder().encode(`${jobId}#${segment}#${slot}`)).subarray(0, 8));

export interface GatePorts {
  readonly guards: GuardDesk;
  readonly settings: () => Promise<GuardSettings>;
  readonly access: Pick<AccessStore, "read">;
  readonly crypto: Crypto;
  readonly audit: AuditLog;
}

/**
 * The gate of orders that can take supply from somebody or put credit into meters, which are written in the audit as soon as they are asked for: size
 * asks for a second person, and so does a cap of switches that is reached.
 */
export function switchGate({ guards, settings, access, crypto, audit }: GatePorts): OrderGate {
  const nameOf = taskNames(crypto);
  return {
    countMax: async () => (await settings()).approveTwiceAbove + 1,
    async assess({ jobId, operation, caller, reason, createdAt, test }, meters, places) {
      if (!takesSupply(operation) && !isCredit(operation)) return undefined;
      const { id, name } = caller;
      await audit.append({
        at: createdAt,
        by: { id, ...(name === undefined ? {} : { name }) },
        action: "order.asked",
        jobId,
        ...(reason === undefined ? {} : { reason }),
        detail: {
          operation: operation.kind,
          ...actDetail(operation),
          meters: String(meters),
          ...(test ? { test: "true" } : {}),
        },
      });
      const { approveAbove, approveTwiceAbove } = await settings();
      if (meters > approveTwiceAbove) return { needed: 2, because: "size" };
      if (meters > approveAbove || meters > places.length) return { needed: 1, because: "size" };
      const to = switchAct(operation);
      if (to === undefined) return undefined; // caps are of switches
      for (const piece of piecesOf(places, TOGETHER)) {
        const admissions = await Promise.all(
          piece.map(async (place) => {
            const { feeder, transformer, loadWatts: watts } = (await access.read(place)) ?? {};
            const ask = { to, feeder, transformer, client: id, watts };
            const task = nameOf(jobId, place.segment, place.slot);
            const admission = await guards.admit(ask, task);
            if (test === true && admission.kind === "admitted") await guards.giveBack(ask, task);
            return admission.kind;
          }),
        );
        if (admissions.includes("full")) return { needed: 1, because: "cap" };
      }
      return undefined;
    },
  };
}
