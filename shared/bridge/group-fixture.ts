import { SessionError } from "../metering/failure.ts";
import type { GroupProtocol, GroupRequest } from "../metering/group.ts";
import type { Measurement } from "../metering/measurement.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { toHex } from "../ports/octets.ts";

/** A group protocol on paper, for tests: messages are JSON, a proof is a digest over them and a key. */
interface Asked {
  readonly to: string;
  readonly id: number;
  readonly at: number;
  readonly kind: string;
  readonly measurements: readonly Measurement[];
  readonly proof: string;
}
interface Answered {
  readonly from: string;
  readonly id: number;
  readonly values: readonly (readonly [Measurement, string])[];
  readonly at: number;
  readonly proof: string;
}

const encode = (message: object): Uint8Array => new TextEncoder().encode(JSON.stringify(message));
const decode = (octets: Uint8Array): Partial<Asked & Answered> | undefined => {
  try {
    return JSON.parse(new TextDecoder().decode(octets)) as Partial<Asked & Answered>;
  } catch {
    return undefined;
  }
};
const proofOf = (message: object, key: string): string =>
  toHex(nodeCrypto.hash("sha256", encode({ message, key })).subarray(0, 8));

/** What a meter finds in a request, if the key is the group's. */
export function askedOf(apdu: Uint8Array, groupKey: string): Asked | undefined {
  const { proof, ...asked } = decode(apdu) ?? {};
  return proof === proofOf(asked, groupKey) ? ({ ...asked, proof } as Asked) : undefined;
}

/** A meter's answer under its own key. `at`: when its values were captured, clock ms. */
export function paperAnswer(
  from: string,
  key: string,
  { id }: Pick<Asked, "id">,
  values: ReadonlyMap<Measurement, bigint>,
  at: number,
): Uint8Array {
  const answer = { from, id, values: [...values].map(([name, value]) => [name, String(value)]), at };
  return encode({ ...answer, proof: proofOf(answer, key) });
}

export const PAPER_KEY = "00112233445566778899aabbccddeeff";
/** Of titles: `.1.2` and the like. */
export const paperProtocol = (protocol: DeviceProfile["protocol"] = "c1222"): GroupProtocol => ({
  protocol,
  spreadMs: () => 60_000,
  isAnswered: () => true,
  compose(_profile, request: GroupRequest, key) {
    const { operation } = request;
    const measurements = (operation.kind === "readRegisters" && operation.measurements) || [];
    const asked = {
      to: request.groupTitle,
      id: request.invocationId,
      at: request.at,
      kind: operation.kind,
      measurements,
    };
    return encode({ ...asked, proof: proofOf(asked, key.hex) });
  },
  whose(octets) {
    const { from, id } = decode(octets) ?? {};
    return from === undefined || id === undefined ? undefined : { title: from, invocationId: id };
  },
  async open(octets, member, request) {
    const { proof, ...answer } = decode(octets) ?? {};
    const auth = (code: string) => new SessionError("auth", code, "expected an answer of the member's own");
    if (answer.from !== member.title || answer.id !== request.invocationId) throw auth("paper.title");
    if (proof !== proofOf(answer, member.keys?.unicast ?? "")) throw auth("paper.bad-mac");
    const { at = 0, values = [] } = answer;
    const registers = values.map(([measurement, value]) => ({ measurement, value: BigInt(value), scaler: 0, at }));
    return { registers, intervals: [], refusals: [] };
  },
});

/** A group key of the paper protocol. */
export const paperKey = { id: 1, hex: PAPER_KEY };
