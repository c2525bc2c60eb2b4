import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Curve, PrivateKey } from "../../ports/crypto.ts";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import type { Data } from "../data.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { digestHls } from "../security/hls.ts";
import { policyOfBits } from "../security/security-policy.ts";
import { SUITES } from "../security/security-suite.ts";
import { dataResult } from "../server/cosem-object.ts";
import type { ClientSecurity, HlsSecurity } from "../server/logical-device.ts";
import {
  access,
  CLIENT_TITLE,
  contextOf,
  countersFrom,
  deviceOf,
  loopback,
  profileOf,
  type Wire,
} from "./loopback-fixture.ts";
import { openSession } from "./open-session.ts";

/** A meter by any suite, mechanism and form, whose one note can be read and written; private keys are one octet repeated. */

type Access = DlmsProfile["dlms"]["access"];
const filled = (octets: number, fill: number): string => toHex(new Uint8Array(octets).fill(fill));
const privateKey = (curve: Curve, fill: number): PrivateKey => {
  const key = nodeCrypto.privateKey(curve, fromHex(filled(curve === "P-256" ? 32 : 48, fill)));
  if (key === undefined) throw new Error("no scalar");
  return key;
};
const NOTE = "0.0.96.13.0.255";
export const note = attributeOf(DataObject, DataObject.attributes.value, NOTE);
export const octets = (length: number): Data => ({ type: "octet-string", value: new Uint8Array(length).fill(0x33) });
const SECRET = "0102030405060708090a";

export function setUp(
  part: Partial<Access>,
  held: { readonly secret?: string; readonly policy?: number; readonly enrolled?: Partial<MeterKeys> } = {},
) {
  const wanted = access(part);
  const suite = wanted.securitySuite;
  const { keyOctets, curve } = SUITES[suite];
  const point = (fill: number) => curve && toHex(nodeCrypto.publicKeyOf(privateKey(curve, fill)));
  const size = curve === "P-384" ? 48 : 32;
  const keys = {
    unicast: filled(keyOctets, 1),
    authentication: filled(keyOctets, 2),
    hlsSecret: SECRET,
    master: filled(keyOctets, 3),
    ...(curve && {
      clientSigning: filled(size, 4),
      clientAgreement: filled(size, 5),
      meterSigning: point(6),
      meterAgreement: point(7),
    }),
  };
  const bits = held.policy ?? wanted.securityPolicy;
  const common: HlsSecurity = {
    ciphered: wanted.ciphering !== "none",
    clientSystemTitle: CLIENT_TITLE,
    keys: { encryption: nodeCrypto.secretKey(fromHex(keys.unicast)), authentication: fromHex(keys.authentication) },
    counters: countersFrom(undefined),
    suite,
    ...(bits !== undefined && { policy: policyOfBits(bits) }),
    secrets: {
      masterKey: fromHex(keys.master),
      ...(curve && {
        ownSigning: privateKey(curve, 6),
        ownAgreement: privateKey(curve, 7),
        peerSigning: nodeCrypto.publicKeyOf(privateKey(curve, 4)),
        peerAgreement: nodeCrypto.publicKeyOf(privateKey(curve, 5)),
      }),
    },
  };
  const hlsSecret = fromHex(held.secret ?? SECRET);
  const mechanism = wanted.authentication;
  const security: ClientSecurity =
    mechanism === "hls-md5" || mechanism === "hls-sha1" || mechanism === "hls-sha256"
      ? { ...common, mechanism, hlsSecret }
      : mechanism === "hls-manufacturer"
        ? { ...common, mechanism, hls: digestHls(nodeCrypto, "sha1", hlsSecret) }
        : { ...common, mechanism: mechanism === "hls-ecdsa" ? mechanism : "hls-gmac" };
  const memory = { note: octets(3) };
  const objects = [
    {
      classId: 1,
      version: 0,
      logicalName: NOTE,
      attributes: {
        2: {
          get: () => dataResult(memory.note),
          set: (data: Data) => {
            memory.note = data;
            return 0;
          },
        },
      },
    },
  ];
  const device = deviceOf(objects, wanted, {
    clients: new Map([[wanted.clientSap, { security, objects: () => objects, securitySetup: undefined }]]),
  });
  const open = async (wire?: Wire) => {
    const link = loopback(device, wire);
    const enrolled = Object.fromEntries(
      Object.entries({ ...keys, ...held.enrolled }).filter(([, hex]) => hex !== undefined),
    );
    const context = contextOf(link, { profile: profileOf({ access: wanted }), keys: enrolled });
    return { link, session: await openSession(context, () => digestHls(nodeCrypto, "sha1", fromHex(SECRET))) };
  };
  return { open, memory };
}
