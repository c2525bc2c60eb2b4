import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { fromHex } from "../ports/octets.ts";
import { below, type Random, seeded } from "../ports/random.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { AContext } from "./a-context.ts";
import { readPayload } from "./epsem.ts";
import { eaxPrimeKey } from "./security/eax-prime.ts";
import { openApdu } from "./security/secured-apdu.ts";
import { isSegment, Reassembly } from "./segmentation.ts";
import { decodeRequest } from "./services/request.ts";
import { decodeResponse } from "./services/response.ts";
import file from "./vectors/c1222-vectors.json" with { type: "json" };

const MUTANTS = 20_000;
const apdus = [...file.apdu.map(({ apdu }) => apdu), ...file.segmentation.flatMap(({ segments }) => segments)].map(
  fromHex,
);
const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex("000102030405060708090a0b0c0d0e0f")));

/** One to three octets of a known APDU changed, or its end cut off. */
function mutant(random: Random): Uint8Array {
  const octets = apdus[below(random, apdus.length)]!.slice();
  if (below(random, 8) === 0) return octets.subarray(0, below(random, octets.length));
  for (let times = 1 + below(random, 3); times > 0; times--)
    octets[below(random, octets.length)] = random.uint32() & 0xff;
  return octets;
}

/** How deep a mutant comes: 0 refused at once, 1 an A-CONTEXT, 2 its payload, 3 all its services. */
function depth(octets: Uint8Array, reassembly: Reassembly): number {
  let reached = 0;
  try {
    const apdu = decode(AContext, octets);
    reached = 1;
    if (isSegment(apdu)) reassembly.push(0, apdu);
    const opened = openApdu(apdu, () => key);
    if (opened.kind === "closed") return reached;
    const { services } = readPayload(opened.payload, opened.control.edClassIncluded);
    reached = 2;
    for (const service of services) {
      if (apdu.calledApInvocationId === undefined) decodeRequest(service);
      else for (const of of ["fullRead", "trace", "register", undefined] as const) decodeResponse(of, service);
    }
    return 3;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return reached;
  }
}

describe("decoders of C12.22", () => {
  it("are total: any mutant of a known APDU is a value or a WireError", () => {
    const random = seeded("c1222 mutants");
    const reassembly = new Reassembly();
    const reached = [0, 0, 0, 0];
    for (let count = 0; count < MUTANTS; count++) reached[depth(mutant(random), reassembly)]! += 1;
    // Mutants that are all refused at once would try nothing.
    expect(MUTANTS - reached[0]!).toBeGreaterThan(0.3 * MUTANTS);
    expect(reached[3]!).toBeGreaterThan(0.05 * MUTANTS);
  });
});
