import type { RequestSent, ResponseReceived } from "../../shared/api/route.ts";
import type { RouteName, Routes } from "../../shared/api/routes.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import type { MeterId } from "../../shared/metering/meter.ts";

type Body<N extends RouteName> = ResponseReceived<Routes[N]>;
interface Answered {
  readonly status: number;
  readonly body: unknown;
}

const AT = "2026-11-28T08:00:00.000Z";
const LATER = "2026-11-28T09:00:00.000Z";
const JOB = "0a1b2c3d4e5f60718293a4b5c6" as JobId;
const meter = (number: number): MeterId => `M-${String(number).padStart(6, "0")}` as MeterId;
const ANNA = { id: "1", name: "anna" };

const OUTAGE: Body<"listOutages">["outages"][number] = {
  outageId: "0123456789abcdef01234567",
  feeder: "feeder-3",
  node: "T-7",
  kind: "transformer",
  state: "confirmed",
  startedAt: AT,
  detectedAt: AT,
  confidence: 0.997,
  evidence: { meters: 3, gasped: 2, silent: 1, supplied: 0 },
  within: "0123456789abcdef01234568",
  changedAt: AT,
};
const METERS: Body<"readOutage">["meters"] = [1, 2, 3].map((number) => ({
  meterId: meter(number),
  gasped: number < 3,
  power: number < 3 ? "off" : "unknown",
  ...(number < 3 ? { powerAt: AT } : {}),
}));

const POLICY: Body<"listPrepaymentPolicies">["policies"][number] = {
  name: "usual",
  warnAt: [500, 1_000],
  disconnectAt: 0,
  reconnectAt: 100,
  reconnectTo: "closed",
  automatic: true,
  identity: "prepayment",
};

const PROGRAM: Body<"listPrograms">["programs"][number] = {
  programId: "peak",
  name: "Evening peak",
  baseline: { kind: "mean-of-days", days: 5 },
  targets: [],
  createdAt: AT,
  modifiedAt: AT,
};
const EVENT: Body<"readDrEvent"> = {
  eventId: "hot-evening",
  programId: "peak",
  name: "hot evening",
  state: "active",
  phases: [{ from: AT, to: LATER, control: { mode: "cycle", periodSeconds: 1_800, offSeconds: 900 } }],
  randomSeconds: 0,
  targets: [],
  createdAt: AT,
  modifiedAt: AT,
  caller: ANNA,
  meters: 2,
  jobs: [{ at: AT, tells: "control", meters: 2, jobId: JOB }],
};
const PARTICIPATION: Body<"readParticipation"> = {
  eventId: "hot-evening",
  state: "measured",
  baseline: PROGRAM.baseline,
  total: { meters: 2, told: 2, baselineWh: 3_000, actualWh: 1_800, shedWh: 1_200 },
  meters: [1, 2].map((number) => ({
    meterId: meter(number),
    outcome: "told",
    baselineWh: 1_500,
    actualWh: 900,
    shedWh: 600,
    beforeW: 1_500,
    duringW: 900,
    afterW: 1_600,
  })),
};

const eur = (value: number) => ({ currency: "EUR", value, scaler: -4 });
const TARIFF: Body<"listTariffVersions">["tariffs"][number] = {
  tariffId: "residential",
  version: 2,
  content: {
    description: "from the new year on",
    calendar: {
      name: "R2",
      seasons: [{ name: "all", from: { month: 1, day: 1 }, week: "w" }],
      weeks: [{ name: "w", days: [1, 1, 1, 1, 1, 1, 1] }],
      days: [
        {
          day: 1,
          switches: [
            { minute: 0, tier: 1 },
            { minute: 420, tier: 2 },
          ],
        },
      ],
      specialDays: [],
    },
    prices: [
      { tier: 1, label: "night", price: eur(1_500) },
      { tier: 2, price: eur(2_900) },
    ],
    criticalPeak: eur(9_000),
  },
  digest: "0".repeat(64),
  createdAt: AT,
  by: ANNA,
};
const REPORT: Body<"reportTariff"> = {
  digest: TARIFF.digest,
  asOf: AT,
  counts: { active: 1, pending: 1, due: 0, differs: 0 },
  meters: (["active", "pending"] as const).map((standing, index) => ({
    meterId: meter(index + 1),
    standing,
    shown: { active: { digest: TARIFF.digest, name: "R2" }, ...(index === 1 ? { activatesAt: LATER } : {}) },
    seenAt: AT,
    jobId: JOB,
  })),
};

/** Outages, prepayment, demand response and tariffs of the fixture; `undefined`: no route of these. */
export class FixtureGrid {
  #account: Body<"readAccount"> = {
    accountId: "A-1",
    meterId: meter(1),
    tariff: "home",
    policy: POLICY.name,
    currency: "EUR",
    state: "active",
    balance: 450,
    openedAt: AT,
    entries: 1,
    supply: { wanted: "on", order: 0, at: AT },
  };
  #entries: Body<"listEntries">["entries"] = [
    { seq: 1, key: "p1", kind: "payment", amount: 450, balance: 450, at: AT, reference: "cash" },
  ];
  #event = EVENT;

  answer(
    method: string,
    [first, second, third, fourth, fifth]: readonly [string, ...(string | undefined)[]],
    body: unknown,
  ): Answered | undefined {
    const ok = <N extends RouteName>(_route: N, value: Body<N>, status = 200): Answered => ({ status, body: value });
    switch (first) {
      case "outages":
        return second === undefined
          ? ok("listOutages", { asOf: AT, outages: [OUTAGE] })
          : ok("readOutage", { ...OUTAGE, meters: METERS });
      case "prepayment":
        if (second === "policies") return ok("listPrepaymentPolicies", { policies: [POLICY] });
        if (fourth === "entries") return ok("listEntries", { entries: this.#entries });
        if (fourth === "payments") return ok("pay", this.#paid(body as RequestSent<Routes["pay"]>));
        return ok("readAccount", this.#account);
      case "demand":
        if (second === "programs") return ok("listPrograms", { programs: [PROGRAM] });
        if (fourth === "participation") return ok("readParticipation", PARTICIPATION);
        if (fourth === "cancel") this.#event = { ...this.#event, state: "cancelled" };
        return third === undefined ? ok("listDrEvents", { events: [this.#event] }) : ok("readDrEvent", this.#event);
      case "tariffs": {
        if (second === undefined) return ok("listTariffVersions", { tariffs: [TARIFF] });
        const job = { jobId: JOB, state: "running" };
        return method === "POST" && fifth === "rollouts"
          ? ok("rolloutTariff", { program: job, proof: job }, 202)
          : ok("reportTariff", REPORT);
      }
      default:
        return undefined;
    }
  }

  #paid({ amount, idempotencyKey, reference }: RequestSent<Routes["pay"]>): Body<"pay"> {
    const balance = this.#account.balance + amount;
    const seq = this.#entries.length + 1;
    const said = reference === undefined ? {} : { reference };
    const entry = { seq, key: idempotencyKey, kind: "payment" as const, amount, balance, at: LATER, ...said };
    this.#account = { ...this.#account, balance, entries: seq };
    this.#entries = [entry, ...this.#entries];
    return { entry, account: this.#account };
  }
}
