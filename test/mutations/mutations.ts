import { EVENT_MUTATIONS } from "./event-mutations.ts";
import type { Mutation } from "./mutation.ts";
import { ORDER_MUTATIONS } from "./order-mutations.ts";
import { OUTAGE_MUTATIONS } from "./outage-mutations.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...ORDER_MUTATIONS,
  {
    name: "slot check removed",
    file: "shared/jobs/outcomes.ts",
    original: 'else if (state !== "open") {',
    mutated: 'else if (state === "cancelled") {',
    tests: ["shared/jobs/slice-machine.test.ts", "shared/jobs/slice-machine-sequences.test.ts"],
  },
  {
    name: "expiry not checked",
    file: "shared/bridge/slice-runner.ts",
    original: '      if (now >= slice.deadline && !proofOnly) return "deadline";\n',
    mutated: "",
    tests: ["test/simulation/bridge.test.ts"],
  },
  {
    name: "evidence written after the block",
    file: "shared/readings/ingest-batch.ts",
    original: "  if (text !== undefined && (tells || bad.length > 0)) await ports.batches.putText(envelope, text);\n",
    mutated: `  if (text !== undefined && (tells || bad.length > 0))
    setTimeout(() => void ports.batches.putText(envelope, text), 50);\n`,
    tests: ["shared/readings/ingest-batch.test.ts"],
  },
  {
    name: "lease made constant",
    file: "shared/security/counters.ts",
    original: "next: { mark: base + BigInt(size), epoch }",
    mutated: "next: { mark: base, epoch }",
    tests: ["shared/security/counters.test.ts"],
  },
  {
    name: "lease made constant by the table",
    file: "functions/adapters/dynamo-access.ts",
    original: "base: StoredMark.parse(Attributes).mark - BigInt(size)",
    mutated: "base: 0n",
    tests: ["test/contract/access-store.test.ts"],
  },
  {
    name: "permits written whatever others have written",
    file: "functions/adapters/dynamo-way-permits.ts",
    original: 'version === 0 ? "attribute_not_exists(pk)" : "#version = :was"',
    mutated: 'version === 0 ? "attribute_not_exists(pk)" : "#version >= :was"',
    tests: ["test/contract/way-permits.test.ts"],
  },
  {
    name: "permits of a bridge that is gone are never free again",
    file: "shared/bridge/way-permits.ts",
    original: "name !== owner && until > now",
    mutated: "name !== owner && until > 0",
    tests: ["shared/bridge/slice-ways.test.ts"],
  },
  {
    name: "a caller's flood goes first",
    file: "shared/bridge/session-pool.ts",
    original: "found === undefined || has < found.has",
    mutated: "found === undefined || has > found.has",
    tests: ["shared/bridge/session-pool.test.ts"],
  },
  {
    name: "raised offset used before it is settled",
    file: "shared/security/counters.ts",
    original: '  if (item.offsetFloor === "unsettled") return { kind: "unsettled" };\n',
    mutated: "",
    tests: ["shared/bridge/counter-desk.test.ts"],
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
    tests: ["shared/bridge/access-window.test.ts"],
  },
  {
    name: "held meter dialled",
    file: "shared/bridge/counted-try.ts",
    original: "    if (hold !== undefined && hold.until > clock.now() &&",
    mutated: "    if (hold !== undefined && hold.until > clock.now() + 1e12 &&",
    tests: ["test/simulation/bridge.test.ts"],
  },
  {
    name: "job's state not looked at before a dial",
    file: "shared/bridge/slice-runner.ts",
    original: 'return proofOnly || (await jobRuns()) ? undefined : "job-ended";',
    mutated: "return undefined;",
    tests: ["test/simulation/bridge.test.ts", "test/simulation/bridge-steering.test.ts"],
  },
  {
    name: "tag check removed in the meter",
    file: "shared/dlms/server/protection.ts",
    original: "  const opened = openSecured(context.side, octets);",
    // GCM enciphers what is enciphered back to plaintext: opening without asking whether the tag is right.
    mutated: `  const { crypto } = context.side;
  const careless: typeof crypto = {
    ...crypto,
    gcmOpen: (secret, iv, aad, sealed, tagOctets) => {
      const length = sealed.length - tagOctets;
      return crypto.gcmSeal(secret, iv, aad, sealed.subarray(0, length), tagOctets).subarray(0, length);
    },
  };
  const opened = openSecured({ ...context.side, crypto: careless }, octets);`,
    tests: ["shared/dlms/server/association.test.ts"],
  },
  {
    name: "age alone resends",
    file: "shared/jobs/slice-machine.ts",
    original: "      if (watermark !== undefined && watermark - (slice.sentAt ?? 0) >= WATERMARK_LEAD_MS)",
    mutated: "      if (now - (slice.sentAt ?? 0) >= WATERMARK_LEAD_MS)",
    tests: ["shared/jobs/slice-machine.test.ts", "shared/jobs/sweep.test.ts"],
  },
  {
    name: "version condition removed",
    file: "functions/adapters/dynamo-ledger.ts",
    original: '            ConditionExpression: "#version = :was",\n',
    mutated: '            ConditionExpression: "#version <> :was OR #version = :was",\n',
    tests: ["test/contract/ledger.test.ts"],
  },
  {
    name: "intent slot cancelled unproved",
    file: "shared/jobs/slice-machine.ts",
    original: 'const ending = slotsIn(slots, "open").filter((slot) => !isIntended(slice, slot));',
    mutated: 'const ending = slotsIn(slots, "open");',
    tests: ["shared/jobs/intents.test.ts", "test/simulation/orders.test.ts"],
  },
  {
    name: "former holder's failure believed of an intended slot",
    file: "shared/jobs/outcomes.ts",
    original: '  if (!holders) return { state: "open", reason: ending.reason };\n',
    mutated: "",
    tests: ["shared/jobs/intents.test.ts"],
  },
  {
    name: "conversation begun in the middle of a push",
    file: "shared/bridge/held-connection.ts",
    original: "open && !watch.atRest; ) {",
    mutated: "open && watch.atRest === undefined; ) {",
    tests: ["test/simulation/held-connection.test.ts"],
  },
  {
    name: "meter that calls in believed without proof",
    file: "shared/bridge/reception.ts",
    original: "      await proof.prove(meter, await held.take(deadline));\n",
    mutated: "",
    tests: ["test/simulation/attached.test.ts"],
  },
  {
    name: "proof made while somebody holds the meter",
    file: "shared/bridge/caller-proof.ts",
    original: "if (hold !== undefined && hold.until > clock.now())",
    mutated: "if (hold !== undefined && hold.until < 0)",
    tests: ["test/simulation/attached.test.ts"],
  },
  {
    name: "registered address believed without proof",
    file: "shared/bridge/registration-desk.ts",
    original: "    await proof.prove(meter, await ports.dial(route, sessionClock.now() + limits.identifyMs));\n",
    mutated: "",
    tests: ["test/simulation/c1222-calls.test.ts"],
  },
  {
    name: "goodbye by datagram believed",
    file: "shared/bridge/registration-desk.ts",
    original: 'if (transport === "udp") return;',
    mutated: "if (transport === undefined) return;",
    tests: ["test/simulation/c1222-calls.test.ts"],
  },
  {
    name: "entry of another connection removed",
    file: "functions/adapters/dynamo-access.ts",
    original: 'ConditionExpression: "attached.#connection = :connection"',
    mutated: 'ConditionExpression: "attribute_exists(attached.#connection) AND :connection <> pk"',
    tests: ["test/contract/access-store.test.ts"],
  },
  {
    name: "older connection entered over a newer one",
    file: "functions/adapters/dynamo-access.ts",
    original: "attachedSeq < :seq) AND releasedBase",
    mutated: "attachedSeq > :seq OR attachedSeq <= :seq) AND releasedBase",
    tests: ["test/contract/access-store.test.ts"],
  },
  {
    name: "byte pipe for whoever asks",
    file: "shared/bridge/byte-pipe.ts",
    original: "!equalOctets(octets.subarray(0, MAC_OCTETS), macOf(crypto, secret, nonce, connection))",
    mutated: "false",
    tests: ["test/simulation/attached.test.ts"],
  },
  {
    name: "group route for any operation",
    file: "shared/jobs/submit-job.ts",
    original: "    if (!isGroupOperation(job.operation.kind))\n",
    mutated: "    if (!isGroupOperation(job.operation.kind) && job.reason === undefined)\n",
    tests: ["shared/jobs/group-jobs.test.ts"],
  },
  {
    name: "members polled while the group's answers are awaited",
    file: "shared/jobs/release.ts",
    original: "  const from = ownStart(job);\n",
    mutated: "  const from = firstStart(job);\n",
    tests: ["shared/jobs/group-jobs.test.ts"],
  },
  {
    name: "answer to a group read by another model's words",
    file: "shared/bridge/group-answers.ts",
    original: '    if (name !== asked.profile.name || version !== asked.profile.version) return "other-profile";\n',
    mutated: "",
    tests: ["shared/bridge/group-answers.test.ts"],
  },
  {
    name: "slot lost between block and record",
    file: "shared/readings/keep-reports.ts",
    original: "  for (const keeper of keepers) await keeper.keep({ ...batch, reports });\n",
    mutated: `  if (stored.facts.unchanged === 0 || stored.facts.written > 0)
    for (const keeper of keepers) await keeper.keep({ ...batch, reports });\n`,
    tests: ["test/simulation/ingest-crash.test.ts"],
  },
  {
    name: "correction erases what it corrects",
    file: "shared/readings/store-readings.ts",
    original: "    for (const { loser, winner, block } of merged.superseded)\n",
    mutated: "    for (const { loser, winner, block } of merged.changed ? [] : merged.superseded)\n",
    tests: ["shared/readings/store-readings.test.ts"],
  },
  {
    name: "gap of a correction wipes out a reading",
    file: "shared/readings/merge-block.ts",
    original: "winner.values.map((value, channel) => value ?? loser.values[channel]);",
    mutated: "[...winner.values];",
    tests: ["shared/readings/store-readings.test.ts"],
  },
  {
    name: "push counted twice",
    file: "shared/readings/ingest-pushes.ts",
    original: 'window === there.window || (await counters.write(key, window, there.version)) === "written"',
    mutated: "window === there.window || (await counters.write(key, window, there.version)) !== undefined",
    tests: ["test/simulation/ingest-crash.test.ts"],
  },
  {
    name: "recent entries not archived before the next ones",
    file: "shared/prepayment/credit-ledger.ts",
    original: "if (added.length > 0) await accounts.archive(accountId, account.recent);",
    mutated: "if (added.length > 1) await accounts.archive(accountId, account.recent);",
    tests: ["test/simulation/prepayment.test.ts"],
  },
  {
    name: "accounts written whatever others have written",
    file: "functions/adapters/dynamo-accounts.ts",
    original: '"accountVersion = :was"',
    mutated: '"accountVersion >= :was"',
    tests: ["test/contract/accounts.test.ts"],
  },
  {
    name: "a calendar believed without being read back",
    file: "shared/dlms/client/program-tariff.ts",
    original: "  if (written.passive?.digest !== wanted)",
    mutated: "  if (written.passive?.digest === undefined && wanted === undefined)",
    tests: ["test/conformance/tariffs.test.ts"],
  },
  {
    name: "a clock put over the end of an interval that does not say so",
    file: "shared/metering/clock-step.ts",
    original: "  if (unmarked !== undefined) {",
    mutated: "  if (unmarked !== undefined && offsetMs === 0) {",
    tests: ["shared/metering/clock-step.test.ts", "shared/simulator/profiles.test.ts"],
  },
  ...EVENT_MUTATIONS,
  ...OUTAGE_MUTATIONS,
];
