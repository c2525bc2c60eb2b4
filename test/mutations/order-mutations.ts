import type { Mutation } from "./mutation.ts";

/** Mistakes about orders: switches, settings, credit. */
export const ORDER_MUTATIONS: readonly Mutation[] = [
  {
    name: "intent written after the effect",
    file: "shared/bridge/order-task.ts",
    original: `    if (!(await this.#announced(item, record, begun))) return LEFT;
    const refused = await this.#lastLook(item, operation).catch((error: unknown) => ({ error }));
    if (refused !== undefined) {
      await this.#cleared(item.slot, begun); // nothing was sent
      if ("error" in refused) throw refused.error;
      return refused;
    }
    const answer = await effects.operate(operation);`,
    mutated: `    const refused = await this.#lastLook(item, operation);
    if (refused !== undefined) return refused;
    const answer = await effects.operate(operation);
    if (!(await this.#announced(item, record, begun))) return LEFT;`,
    tests: ["test/simulation/orders-crash.test.ts"],
  },
  {
    name: "redelivered order sent again unproved",
    file: "shared/bridge/order-task.ts",
    original: `    const verdict = await this.#agreed(effects, operation, record, () => true);
    // What the meter shows may be`,
    mutated: `    const verdict: EffectVerdict = { kind: "did-not-happen" };
    // What the meter shows may be`,
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "stop not looked at before a switch moves",
    file: "shared/switching/authority.ts",
    original: `  if (stopFor(stops, to, place, now) !== undefined) return "switch.stopped";\n`,
    mutated: "",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "a test moves the switch",
    file: "shared/bridge/order-task.ts",
    original: `    if (this.#order.asker.test) return (await this.#lastLook(item, operation)) ?? { kind: "done", result: before };\n`,
    mutated: "",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "switch moved again though its log tells of a move",
    file: "shared/bridge/order-task.ts",
    original: `      if (moved !== undefined) return { ...failed("unverified", moved, "never"), ...shownOf(verdict) };\n`,
    mutated: "",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "order sent again in the room of its first try",
    file: "shared/bridge/order-task.ts",
    original: "    const against = refused ?? (await admitted(this.#ports.safety, this.#order, item));",
    mutated: "    const against = refused;",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "switch closed onto a live load side",
    file: "shared/switching/switch-checks.ts",
    original: `  if (liveSide(before, "load") === true) return "switch.load-side-live";\n`,
    mutated: "",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "redelivered order takes room of its own",
    file: "shared/switching/guard.ts",
    original: "one.task !== task && one.at > now - HOUR_MS",
    mutated: "one.at > now - HOUR_MS",
    tests: ["shared/switching/guard.test.ts"],
  },
  {
    name: "what shows nothing yet is sent again at once",
    file: "shared/bridge/order-task.ts",
    original: "    if (this.#ports.clock.now() < record.at + SETTLE_MS)",
    mutated: "    if (record.at < 0)",
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "expiry of an order not checked",
    file: "shared/bridge/order-task.ts",
    original: "return this.#ports.clock.now() >= deadline ? LEFT : undefined;",
    mutated: "return deadline < 0 ? LEFT : undefined;",
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "newer order not looked for",
    file: "shared/bridge/order-task.ts",
    original: "    if (lastOrder > number) return SUPERSEDED;\n",
    mutated: "",
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "credit given while another order's is in doubt",
    file: "shared/bridge/credit-claim.ts",
    original: "  if (!isCredit(operation)) return true;\n",
    mutated: "  if (isCredit(operation)) return true;\n",
    tests: ["test/simulation/credit-orders.test.ts"],
  },
  {
    name: "order looks before it leases",
    file: "shared/bridge/order-task.ts",
    original: `      const counters = await desk.lease();
      const looked = clock.now();
      const item = await access.read(seen);`,
    mutated: `      const looked = clock.now();
      const item = await access.read(seen);
      const counters = await desk.lease();`,
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "open switch believed though its contact is closed",
    file: "shared/metering/switch-verdict.ts",
    original: `  if (contactClosed !== undefined && contactClosed !== closed) return cannotTell("switch.contact-differs");\n`,
    mutated: "",
    tests: ["shared/metering/switch-verdict.test.ts"],
  },
  {
    name: "order sent though the hold was lost",
    file: "shared/bridge/order-task.ts",
    original: "    if (hold?.owner !== owner || hold.until <= this.#ports.clock.now() + MARGIN_MS)",
    mutated: "    if (hold?.owner === owner && hold.until < 0)",
    tests: ["test/simulation/orders.test.ts"],
  },
  {
    name: "intent written by who lost the lease",
    file: "shared/jobs/intents.ts",
    original: `  if (slice.state !== "working" || slice.lease?.owner !== owner) return "another-owner";
  if (slice.generation !== generation) return "another-generation";
  if (slice.lease.until <= now) return "leased";
`,
    mutated: "",
    tests: ["shared/jobs/intents.test.ts"],
  },
];
