import { randomBytes } from "node:crypto";
import type { Random } from "../../shared/ports/random.ts";

/** Chance from the operating system: fit for challenges and names that nobody may guess. */
export const systemRandom: Random = {
  uint32: () => randomBytes(4).readUInt32LE(),
  octets: (length) => new Uint8Array(randomBytes(length)),
};

/** 26 letters and digits; ids that begin later sort later. */
export const newId = (now: number): string =>
  now.toString(36).padStart(9, "0") +
  Array.from(systemRandom.octets(17), (octet) => (octet % 36).toString(36)).join("");
