import type { Crypto } from "../ports/crypto.ts";
import { JobId } from "./job.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648 base 32, lower case
const ID_OCTETS = 16;

/** The same parts always give the same id: a repeated request, or a double tick, meets itself. */
function hashId(crypto: Crypto, parts: readonly string[]): JobId {
  const digest = crypto.hash("sha256", new TextEncoder().encode(JSON.stringify(parts))).subarray(0, ID_OCTETS);
  let [text, buffer, bits] = ["", 0, 0];
  for (const octet of digest) {
    buffer = (buffer << 8) | octet;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(buffer >> (bits - 5)) & 31];
    buffer &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(buffer << (5 - bits)) & 31];
  return JobId.parse(text);
}

/** Id of a job that a caller asked for. */
export const requestedJobId = (crypto: Crypto, callerId: string, idempotencyKey: string): JobId =>
  hashId(crypto, ["request", callerId, idempotencyKey]);

/** Id of the job of one run of a schedule. `createdAt`: a schedule made anew under an old id is another one. */
export const scheduledJobId = (crypto: Crypto, scheduleId: string, createdAt: number, runAt: number): JobId =>
  hashId(crypto, ["schedule", scheduleId, String(createdAt), String(runAt)]);
