import { randomBytes } from "node:crypto";
import type { Random } from "../../shared/ports/random.ts";

/** Chance from the operating system: fit for challenges and names that nobody may guess. */
export const systemRandom: Random = {
  uint32: () => randomBytes(4).readUInt32LE(),
  octets: (length) => new Uint8Array(randomBytes(length)),
};
