import { z } from "zod";
import { AuditEntry } from "../security/audit.ts";
import { Moratorium, Stop, StopScope, SwitchPolicy } from "../switching/authority.ts";
import { GuardSettings } from "../switching/guard.ts";
import { Instant } from "./instant.ts";
import { limitUpTo } from "./page.ts";

const Why = z.string().trim().min(1).max(500);

/** POST /jobs/{jobId}/approve: of exactly what `GET /jobs/{jobId}` shows under `approval.digest`. */
export const ApprovalBody = z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hex digits") });

export const StopInApi = Stop.extend({ at: Instant, until: Instant.optional() });
/** POST /stops. `until` absent: until it is lifted. */
export const StopBody = StopScope.extend({ reason: Why, until: Instant.optional() });
export const StopPath = z.strictObject({ stopId: Stop.shape.stopId });
export const MoratoriumInApi = Moratorium.extend({ at: Instant });
/** POST /moratoria: of a calendar as it is now. */
export const MoratoriumBody = Moratorium.pick({ calendar: true, feeder: true }).extend({ reason: Why });
export const MoratoriumPath = z.strictObject({ moratoriumId: Moratorium.shape.moratoriumId });
export const ReasonBody = z.strictObject({ reason: Why });

/** GET /authority: who is active, what is stopped and when, what is asked of switches, and the caps. */
export const AuthorityInApi = z.strictObject({
  epoch: z.int(),
  region: z.string(),
  stops: z.array(StopInApi),
  moratoria: z.array(MoratoriumInApi),
  policy: SwitchPolicy,
  guards: GuardSettings,
});
export const PolicyBody = z.strictObject({ policy: SwitchPolicy, reason: Why });
export const GuardsBody = z.strictObject({ guards: GuardSettings, reason: Why });

/** PUT /meters/{meterId}/flags: who lives behind the meter. Each keeps its switch from being opened. */
export const FlagsBody = z.strictObject({
  medical: z.boolean(),
  priority: z.boolean(),
  moratorium: z.boolean(),
  reason: Why,
});
export const FlagsInApi = FlagsBody.omit({ reason: true }).extend({ meterId: z.string() });

/** GET /audit: entries about one meter or by one actor, newest first. */
export const AuditQuery = z
  .strictObject({
    meterId: z.string().max(64).optional(),
    by: z.string().max(256).optional(),
    limit: limitUpTo(500, 100),
  })
  .refine(({ meterId, by }) => (meterId === undefined) !== (by === undefined), {
    message: "expected either meterId or by",
    path: ["meterId"],
  });
export const AuditList = z.strictObject({
  entries: z.array(AuditEntry.extend({ at: Instant, seq: z.int(), hash: z.string() })),
  /** False: a link of the chain that these lie in does not follow the one before it, or is not what was sealed. An alarm. */
  intact: z.boolean(),
  /** The last seal: of when it is, and up to which entry of the chain it covers. Absent: nothing is sealed yet. */
  sealed: z.strictObject({ at: Instant, seq: z.int() }).optional(),
});
