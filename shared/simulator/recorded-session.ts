import { Aare } from "../dlms/aare.ts";
import { Aarq, NO_AARQ_FIELDS } from "../dlms/aarq.ts";
import { APPLICATION_CONTEXT, MECHANISM } from "../dlms/acse.ts";
import { ActionRequest } from "../dlms/action-request.ts";
import { DLMS_VERSION, InitiateRequest } from "../dlms/initiate-request.ts";
import { invokeIdAndPriority } from "../dlms/invoke-id.ts";
import { protectApdu } from "../dlms/security/apdu-protection.ts";
import { proveGmac } from "../dlms/security/hls-gmac.ts";
import { AUTHENTICATED_ENCRYPTED } from "../dlms/security/security-control.ts";
import { ServerConnection } from "../dlms/server/connection.ts";
import type { LogicalDevice } from "../dlms/server/logical-device.ts";
import { freshCounters } from "../dlms/server/protection.ts";
import type { ServerPorts } from "../dlms/server/server-association.ts";
import { Wrapper, wrap } from "../dlms/wrapper.ts";
import { assert } from "../ports/errors.ts";
import { decode, encode } from "../wire/codec.ts";

/**
 * The answers of one genuine association with this meter, as an eavesdropper would have kept them: AARE, then the
 * answer to pass 3. Made with counters of its own, so that the meter's memory knows nothing of it.
 */
export function recordedSession(
  device: LogicalDevice,
  clientSap: number,
  ports: ServerPorts,
  form: "service-specific" | "general",
): readonly Uint8Array[] {
  const rule = device.clients.get(clientSap);
  assert(rule?.security.mechanism === "hls-gmac" && rule.security.ciphered, "only a ciphered session can be replayed");
  const { keys, clientSystemTitle, counters } = rule.security;
  const security = { ...rule.security, counters: { ...freshCounters(), nextOwn: () => counters.nextOwn() } };
  const connection = new ServerConnection({ ...device, clients: new Map([[clientSap, { ...rule, security }]]) }, ports);
  let invocationCounter = 0;
  const sender = () => ({ systemTitle: clientSystemTitle, invocationCounter: ++invocationCounter });
  const dress = { form, scope: "global", securityControl: AUTHENTICATED_ENCRYPTED } as const;
  const ask = (apdu: Uint8Array): Uint8Array => {
    const [answer] = connection.receive(wrap(clientSap, device.serverSap, apdu)).send;
    assert(answer !== undefined, "the meter answers a genuine request");
    return answer;
  };

  const initiate = encode(InitiateRequest, {
    dedicatedKey: undefined,
    responseAllowed: true,
    proposedQualityOfService: undefined,
    proposedDlmsVersionNumber: DLMS_VERSION,
    proposedConformance: device.conformance,
    clientMaxReceivePduSize: device.maxPduSize,
  });
  const aare = ask(
    encode(Aarq, {
      ...NO_AARQ_FIELDS,
      applicationContextName: APPLICATION_CONTEXT["logical-name-referencing-with-ciphering"],
      callingApTitle: clientSystemTitle,
      senderAcseRequirements: true,
      mechanismName: MECHANISM["high-level-security-gmac"],
      callingAuthenticationValue: ports.random.octets(16),
      userInformation: protectApdu(ports.crypto, keys, dress, sender(), initiate),
    }),
  );
  const challenge = decode(Aare, decode(Wrapper, aare).apdu).respondingAuthenticationValue;
  assert(challenge !== undefined, "an HLS AARE has a challenge");
  const reply = encode(ActionRequest, {
    kind: "normal",
    invokeIdAndPriority: invokeIdAndPriority(1),
    cosemMethodDescriptor: { classId: 15, instanceId: "0.0.40.0.0.255", methodId: 1 },
    methodInvocationParameters: { type: "octet-string", value: proveGmac(ports.crypto, keys, sender(), challenge) },
  });
  return [aare, ask(protectApdu(ports.crypto, keys, dress, sender(), reply))];
}
