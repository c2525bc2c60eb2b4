import type { MemoryAccess } from "../../shared/bridge/memory-access.ts";
import type { Job, JobId } from "../../shared/jobs/job.ts";
import type { Lane } from "../../shared/jobs/lane.ts";
import type { SliceKey } from "../../shared/jobs/slice.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { CounterInvariants } from "./counter-invariants.ts";
import type { EffectPorts } from "./effects.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { LedgerInvariants } from "./ledger-invariants.ts";
import type { ReadingInvariants } from "./reading-invariants.ts";
import type { SimulatedLedger } from "./simulated-ledger.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { SimulatedQueue } from "./simulated-queue.ts";
import type { Switching } from "./switching.ts";
import type { Violations } from "./violations.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What the parts of one seed's world share. */
export interface World extends EffectPorts {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly violations: Violations;
  readonly ledgerView: LedgerInvariants;
  readonly readings: Pick<ReadingInvariants, "sent" | "accepted" | "wrote">;
  readonly counters: CounterInvariants;
  readonly ledger: SimulatedLedger;
  readonly lanes: Readonly<Record<Lane, SimulatedQueue>>;
  readonly results: SimulatedQueue;
  /** Absent: nobody asks for switches. */
  readonly switching?: Switching | undefined;
  /** The access table as it is now, and the active epoch. */
  access: MemoryAccess;
  epoch: number;
  /** Called when a bridge next receives a message, once. */
  onReceive: ((about: SliceKey) => void) | undefined;
  /** Clocks were put by minutes at least once. */
  clocksWrong: boolean;
  readonly job: (jobId: JobId) => Job | undefined;
  /** Nobody who held a meter goes on. */
  readonly endOrders: () => void;
  readonly process: (kind: SimulatedProcess["kind"]) => SimulatedProcess;
}
