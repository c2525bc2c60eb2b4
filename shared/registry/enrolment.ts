import type { AccessEnrolment, AccessStore } from "../jobs/access.ts";
import type { MeterId } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeyVault } from "../security/key-vault.ts";
import type { EnrolmentOutcome, EnrolmentRequest, RegisteredMeter } from "./registered-meter.ts";
import type { ClaimName, Profiles, Registry, Segments } from "./registry.ts";

/** What enrolment reads and writes. */
export interface EnrolPorts {
  readonly registry: Registry;
  readonly segments: Segments;
  readonly profiles: Pick<Profiles, "latest">;
  readonly access: AccessEnrolment & Pick<AccessStore, "readMany">;
  readonly vault: KeyVault;
  readonly clock: Pick<Clock, "now">;
  /** By which meters live: from then on intervals of a new one are expected. */
  readonly meterTime: Pick<Clock, "now">;
}

/** The names that a meter claims for itself. */
export const claimNames = ({ systemTitle, serial, servicePoint }: EnrolmentRequest): readonly ClaimName[] => [
  ...(systemTitle === undefined ? [] : [{ kind: "title", value: systemTitle } as const]),
  { kind: "serial", value: serial },
  ...(servicePoint === undefined ? [] : [{ kind: "service-point", value: servicePoint } as const]),
];

/** The version of a meter's first keys. */
export const FIRST_KEYS = 1;

export const sealContext = (meterId: MeterId) => ({ meterId, purpose: "meter-keys", version: FIRST_KEYS }) as const;

export const outcomeOf = (
  kind: "enrolled" | "unchanged",
  { meter, place: at, source }: RegisteredMeter,
): EnrolmentOutcome => ({ kind, meterId: meter.meterId, place: at, ...(source === undefined ? {} : { source }) });
