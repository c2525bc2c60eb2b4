import type { Mutation } from "./mutation.ts";

export type EngineMutation = Omit<Mutation, "tests">;

/**
 * Broken engines that the simulation has to find by its general invariants, within so many seeds from the first on.
 */
export const SEEDS_MAX = 1200;

export const ENGINE_MUTATIONS: readonly EngineMutation[] = [
  {
    name: "duplicate not detected",
    file: "shared/readings/merge-block.ts",
    original: "const registers = new Map(stored.registers.map((register) => [registerKey(register), register]));",
    mutated:
      'const registers = new Map(stored.registers.map((register) => [registerKey(register) + " stored", register]));',
  },
  {
    name: "lease not fenced",
    file: "shared/jobs/slice-machine.ts",
    original: '  if (slice.state === "working" && (slice.lease?.until ?? 0) > input.now) return ignored("leased");\n',
    mutated: "",
  },
  {
    name: "lease renewed by whoever asks",
    file: "shared/jobs/slice-machine.ts",
    original: `    case "renewed":
      if (slice.state !== "working" || slice.lease?.owner !== input.owner) return ignored("another-owner");`,
    mutated: `    case "renewed":
      if (slice.state !== "working") return ignored("another-owner");`,
  },
  {
    name: "counter reused after restore",
    file: "shared/security/counters.ts",
    original: "export const EPOCH_JUMP = 1n << 22n;",
    mutated: "export const EPOCH_JUMP = 0n;",
  },
  {
    name: "lease made constant",
    file: "shared/security/counters.ts",
    original: "next: { mark: base + BigInt(size), epoch }",
    mutated: "next: { mark: base, epoch }",
  },
  {
    name: "offset goes back",
    file: "shared/bridge/memory-access.ts",
    original: `        item.counterOffset < offset &&
        (raise?.was ?? item.counterOffset) === item.counterOffset`,
    mutated: "        item.counterOffset !== offset",
  },
  {
    name: "sweep resends queued slices",
    file: "shared/jobs/slice-machine.ts",
    original: "      if (watermark !== undefined && watermark - (slice.sentAt ?? 0) >= WATERMARK_LEAD_MS)",
    mutated: "      if (now - (slice.sentAt ?? 0) >= WATERMARK_LEAD_MS)",
  },
  {
    name: "purged message never missed",
    file: "shared/bridge/bridge.ts",
    original: "          if (messages.length === 0) raise(asked, WATERMARK_EMPTY_STEP_MS);\n",
    mutated: "",
  },
  {
    name: "late failure overwrites done",
    file: "shared/jobs/outcomes.ts",
    original: '    else if (state !== "open") {',
    mutated: '    else if (state !== "open" && outcome.kind !== "failed") {',
  },
  {
    name: "drain counted as poison",
    file: "shared/jobs/slice-machine.ts",
    original: `        generation: slice.generation + 1,
        nextAttempt: input.now,`,
    mutated: `        generation: slice.generation + 1,
        uncleanEnds: slice.uncleanEnds + 1,
        nextAttempt: input.now,`,
  },
  {
    name: "read ignores hold",
    file: "shared/bridge/counted-try.ts",
    original: "    if (hold !== undefined && hold.until > clock.now() && hold.owner !== holder)",
    mutated: "    if (hold !== undefined && hold.until > clock.now() + 1e12 && hold.owner !== holder)",
  },
  {
    name: "access item read before the lease",
    file: "shared/bridge/access-window.ts",
    original: `      const lease = await desk.lease(); // before the look: see counter-desk.ts
      const at = clock.now();
      const items = await access.readMany(segment, asked);`,
    mutated: `      const at = clock.now();
      const items = await access.readMany(segment, asked);
      const lease = await desk.lease();`,
  },
  {
    name: "old generation accepted",
    file: "shared/jobs/slice-machine.ts",
    original: `  if (slice.generation !== input.generation) return ignored("another-generation");
  if (slice.state !== "working") return ignored("not-waiting");`,
    mutated: '  if (slice.state !== "working") return ignored("not-waiting");',
  },
  {
    name: "job's state not looked at before a dial",
    file: "shared/bridge/slice-runner.ts",
    original: 'return proofOnly || (await jobRuns()) ? undefined : "job-ended";',
    mutated: "return undefined;",
  },
  {
    name: "ledger written before the block",
    file: "shared/readings/ingest-batch.ts",
    original: "  const stored = await keepReports(",
    mutated: `  const slice = { jobId: envelope.job, segment: envelope.segment, part: envelope.part };
  await recordOutcomes(ports, slice, envelope, reports, DEFAULT_RETRY);
  const stored = await keepReports(`,
  },
  {
    name: "version condition removed",
    file: "shared/jobs/memory-ledger.ts",
    original: '      if (stored.get(was.jobId)?.get(was)?.version !== was.version) return "conflict";\n',
    mutated: "",
  },
  {
    name: "interrupted split not resumed",
    file: "shared/jobs/slice-machine.ts",
    original: "  if (slice.moved !== undefined)\n    return leased",
    mutated: "  if (slice.moved !== undefined && leased)\n    return leased",
  },
  {
    name: "job closed while a slice is at work",
    file: "shared/jobs/progress.ts",
    original: '    this.#closed &&= state === "closed";',
    mutated: '    this.#closed &&= state === "closed" || state === "working";',
  },
  {
    name: "lapsed lease left alone",
    file: "shared/jobs/slice-machine.ts",
    original: '      return leased ? ignored("leased") : lapsed(slice, now);',
    mutated: '      return ignored("leased");',
  },
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
  },
  {
    name: "intent repeated instead of proved",
    file: "shared/bridge/order-task.ts",
    original: '      if (end !== "send-again") return end;\n',
    mutated: "",
  },
  {
    name: "intent slot cancelled unproved",
    file: "shared/jobs/slice-machine.ts",
    original: '  const ending = slotsIn(slots, "open").filter((slot) => !isIntended(slice, slot));',
    mutated: '  const ending = slotsIn(slots, "open");',
  },
  {
    name: "newer order's effect taken for the older one's",
    file: "shared/bridge/order-task.ts",
    original: '    if (verdict.kind === "happened" && item.lastOrder > this.#order.number)',
    mutated: '    if (verdict.kind === "happened" && item.lastOrder < 0)',
  },
  {
    name: "said, hence done",
    file: "shared/bridge/order-task.ts",
    original: "      ? this.#shown(effects, operation, record)",
    mutated: '      ? settled({ kind: "happened" })',
  },
  {
    name: "fan-out points are tasks",
    file: "shared/jobs/plan-job.ts",
    original: "  if (isGroupSlice(slice)) return 0;\n",
    mutated: "",
  },
  {
    name: "every task of a group asks anew",
    file: "shared/bridge/group-send.ts",
    original: "    apdu: protocol.compose(profile, request, key, crypto),\n  });",
    mutated:
      "    apdu: protocol.compose(profile, { ...request, at: request.at + 1 }, key, crypto),\n  }).then((kept) => ({ ...kept, apdu: protocol.compose(profile, request, key, crypto) }));",
  },
  {
    name: "switch moved again though its log tells of a move",
    file: "shared/bridge/order-task.ts",
    original: `      if (moved !== undefined) return { ...failed("unverified", moved, "never"), ...shownOf(verdict) };\n`,
    mutated: "",
  },
  {
    name: "last look skipped",
    file: "shared/bridge/order-task.ts",
    original: "await this.#lastLook(item, operation).catch((error: unknown) => ({ error }));",
    mutated: "await Promise.resolve(undefined as TaskEnd | undefined).catch((error: unknown) => ({ error }));",
  },
  {
    name: "stop not looked at before a switch moves",
    file: "shared/switching/authority.ts",
    original: `  if (stopFor(stops, to, place, now) !== undefined) return "switch.stopped";\n`,
    mutated: "",
  },
  {
    name: "flags not looked at before a switch moves",
    file: "shared/switching/switch-checks.ts",
    original: `  if (flags.medical) return "switch.medical";\n`,
    mutated: "",
  },
  {
    name: "newer order not looked for",
    file: "shared/bridge/order-task.ts",
    original: "    if (lastOrder > number) return SUPERSEDED;\n",
    mutated: "",
  },
  {
    name: "audit written after the effect",
    file: "shared/bridge/order-task.ts",
    original: "      this.#written(item, record.baseline),",
    mutated:
      "      Promise.resolve(void this.#ports.clock.sleep(20_000).then(() => this.#written(item, record.baseline))),",
  },
  {
    name: "guard written whatever others have written",
    file: "shared/switching/memory-guards.ts",
    original: `      if (at(name).version !== version) return "conflict";\n`,
    mutated: "",
  },
  {
    name: "switch operated without room under its guards",
    file: "shared/bridge/order-safety.ts",
    original: "const admission = await safety.guards.admit(whole, task);",
    mutated: 'const admission = { kind: "admitted", until: 0 } as { kind: "admitted" | "full"; until: number };',
  },
  {
    name: "switch closed onto a live load side",
    file: "shared/switching/switch-checks.ts",
    original: `  if (liveSide(before, "load") === true) return "switch.load-side-live";\n`,
    mutated: "",
  },
  {
    name: "open switch believed though its load side is live",
    file: "shared/metering/switch-verdict.ts",
    original: `  if (!closed && loadLive === true) return cannotTell("switch.load-side-live");\n`,
    mutated: "",
  },
  {
    name: "job sent before it is approved",
    file: "shared/jobs/approval.ts",
    original: "  approval !== undefined && test !== true && approvals.length < approval.needed;",
    mutated: "  approval !== undefined && test !== true && approvals.length > approval.needed;",
  },
  {
    name: "one approval counts for two",
    file: "shared/jobs/approve-job.ts",
    original: '  if (approvals.some(({ by }) => by.id === id)) return refused("twice");\n',
    mutated: "",
  },
];
