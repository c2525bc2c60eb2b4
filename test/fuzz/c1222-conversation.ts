import { c1222Driver } from "../../shared/c1222/driver.ts";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { Link } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex } from "../../shared/ports/octets.ts";
import { chance, type Random } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { standingClock } from "../conformance/two-protocols.ts";
import { mutantOf } from "./c1222-frames.ts";

const NOW = Date.parse("2026-11-10T09:07:13Z");
const UNICAST = "000102030405060708090a0b0c0d0e0f";
const TITLE = ".23.1";
const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(UNICAST)));
const HOUR_MS = 3_600_000;
const to = Math.floor(NOW / HOUR_MS) * HOUR_MS;
const OPERATIONS: readonly Operation[] = [
  { kind: "readIntervals", range: { from: to - 3 * HOUR_MS, to }, registers: "total" },
  { kind: "readRegisters" },
  { kind: "ping", depth: "meter" },
];

/** A whole read whose frames are mutated on the way, either way; answers how many were. */
export async function fuzzedConversation(random: Random, round: number): Promise<number> {
  const profile = PROFILES.get("generic-us");
  if (profile?.protocol !== "c1222") throw new Error("the catalogue has generic-us");
  const clock = standingClock(NOW);
  const held = { unicast: UNICAST };
  const plan = {
    index: 0,
    meterId: "SIM-000001",
    serial: "HRS26000001",
    profile,
    apTitle: TITLE,
    enrolled: held,
    held,
    clockOffsetMs: 0,
    fault: undefined,
  };
  const meter = new C1222Meter(plan, 1, { crypto: nodeCrypto, random, now: () => clock.now() });
  const link = await dialMeter(meter, clock);
  let mutants = 0;
  const sometimes = (frame: Uint8Array, share: number): Uint8Array => {
    if (!chance(random, share)) return frame;
    mutants++;
    return mutantOf(frame, profile.c1222.access.keyId, key, random);
  };
  const tampering: Link = {
    ...link,
    send: (octets) => link.send(sometimes(octets, 0.1)),
    receive: async (deadline) => sometimes(await link.receive(deadline), 0.3),
  };
  let counter = 1;
  try {
    const session = await c1222Driver.open({
      link: tampering,
      clock,
      random,
      crypto: nodeCrypto,
      profile,
      systemTitle: TITLE,
      clientSystemTitle: "4844520000000001",
      keys: held,
      counters: { next: () => counter++ },
      responseTimeoutMs: 5_000,
    });
    await session.perform(OPERATIONS[round % OPERATIONS.length] as Operation);
    await session.release();
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
  }
  return mutants;
}
