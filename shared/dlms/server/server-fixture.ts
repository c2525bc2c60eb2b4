import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex } from "../../ports/octets.ts";
import { seeded } from "../../ports/random.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare } from "../aare.ts";
import { type Aarq, Aarq as AarqCodec, NO_AARQ_FIELDS } from "../aarq.ts";
import { ActionRequest } from "../action-request.ts";
import { type Apdu, decodeApdu } from "../apdu.ts";
import { CONFORMANCE, type ConformanceService, conformanceOf } from "../conformance.ts";
import type { Data } from "../data.ts";
import { DLMS_VERSION, InitiateRequest } from "../initiate-request.ts";
import { invokeIdAndPriority } from "../invoke-id.ts";
import { type CipheringForm, protectApdu, protectedApdu } from "../security/apdu-protection.ts";
import type { KeyScope } from "../security/ciphered-apdu.ts";
import { proveGmac } from "../security/hls-gmac.ts";
import { type CipherKeys, openContent } from "../security/protection.ts";
import { AUTHENTICATED_ENCRYPTED } from "../security/security-control.ts";
import { Wrapper, wrap } from "../wrapper.ts";
import { contextOf, MECHANISM_OF } from "./association-object.ts";
import { ServerConnection } from "./connection.ts";
import { actionResult, type CosemObject, dataResult } from "./cosem-object.ts";
import type { ClientRule, ClientSecurity, CounterMemory, LogicalDevice } from "./logical-device.ts";

/** A device and a client made by hand for tests: the client can be told to break every rule. */

export const SERVER_TITLE = fromHex("4852530001000001");
export const CLIENT_TITLE = fromHex("4844520000000001");
export const SAP = { secured: 1, secret: 2, provingInClear: 3, open: 16 } as const;
export const SECRET = fromHex("0102030405060708");
export const INVOKE = invokeIdAndPriority(1);
export const ALL_SERVICES: readonly ConformanceService[] = [
  "block-transfer-with-get-or-read",
  "block-transfer-with-set-or-write",
  "block-transfer-with-action",
  "multiple-references",
  "get",
  "set",
  "selective-access",
  "action",
];

export const keysOf = (fill: number): CipherKeys => ({
  encryption: nodeCrypto.secretKey(new Uint8Array(16).fill(fill)),
  authentication: new Uint8Array(16).fill(fill + 1),
});
export const KEYS = keysOf(0x11);

export interface Remembered extends CounterMemory {
  readonly acceptedAll: number[];
  readonly refusedAll: number[];
}
export function remembering(last?: number): Remembered {
  let highest = last;
  let own = 0;
  const acceptedAll: number[] = [];
  const refusedAll: number[] = [];
  return {
    acceptedAll,
    refusedAll,
    lastAccepted: () => highest,
    accepted: (counter) => {
      acceptedAll.push(counter);
      highest = Math.max(highest ?? 0, counter);
    },
    refused: (counter) => refusedAll.push(counter),
    nextOwn: () => own++,
  };
}

export const LONG_VALUE: Data = { type: "octet-string", value: Uint8Array.from({ length: 700 }, (_, at) => at & 0xff) };
export const LONG = { classId: 1, instanceId: "0.0.96.1.1.255", attributeId: 2 } as const;
export const TEXT = { classId: 1, instanceId: "0.0.96.13.0.255", attributeId: 2 } as const;
export const ECHO = { classId: 9, instanceId: "0.0.10.0.0.255", methodId: 1 } as const;

/** A value of 700 octets, one that can be set, and a method that answers its parameters. */
function objects(memory: { text: Data }): readonly CosemObject[] {
  return [
    { classId: 1, version: 0, logicalName: LONG.instanceId, attributes: { 2: { get: () => dataResult(LONG_VALUE) } } },
    {
      classId: 1,
      version: 0,
      logicalName: TEXT.instanceId,
      attributes: {
        2: {
          get: () => dataResult(memory.text),
          set: (value) => {
            memory.text = value;
            return 0;
          },
        },
        3: { set: () => 0 },
      },
    },
    {
      classId: 9,
      version: 0,
      logicalName: ECHO.instanceId,
      attributes: {},
      methods: { 1: (parameters) => actionResult("success", parameters) },
    },
  ];
}

export interface Fixture {
  readonly device: LogicalDevice;
  readonly counters: Remembered;
  readonly memory: { text: Data };
}

export function fixture(options: Partial<LogicalDevice> & { readonly lastAccepted?: number } = {}): Fixture {
  const { lastAccepted, ...more } = options;
  const counters = remembering(lastAccepted);
  const memory: { text: Data } = { text: { type: "octet-string", value: new Uint8Array(0) } };
  const rule = (security: ClientSecurity): ClientRule => ({
    security,
    securitySetup: undefined,
    objects: () => objects(memory),
  });
  const proving = { mechanism: "hls-gmac", clientSystemTitle: CLIENT_TITLE, keys: KEYS, counters } as const;
  const device: LogicalDevice = {
    serverSap: 1,
    systemTitle: SERVER_TITLE,
    maxPduSize: 256,
    conformance: conformanceOf(...ALL_SERVICES),
    clients: new Map([
      [SAP.secured, rule({ ...proving, ciphered: true })],
      [SAP.secret, rule({ mechanism: "lls", secret: SECRET })],
      [SAP.provingInClear, rule({ ...proving, ciphered: false })],
      [SAP.open, rule({ mechanism: "none" })],
    ]),
    ...more,
  };
  return { device, counters, memory };
}

export interface Greeting {
  readonly aarq?: Partial<Aarq>;
  readonly initiate?: Partial<InitiateRequest>;
  readonly services?: readonly ConformanceService[];
}

/** A hand-made client on one connection. Counters are drawn from `counter`, which a test may set. */
export class HandMadeClient {
  readonly connection: ServerConnection;
  readonly sap: number;
  counter: number;
  title = CLIENT_TITLE;
  keys = KEYS;
  form: CipheringForm = "service-specific";
  scope: KeyScope = "global";
  /** Of the scope in use; the server's answers are opened with them. */
  serverKeys = KEYS;
  securityControl = AUTHENTICATED_ENCRYPTED;
  challenge = fromHex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
  /** Answer to the last protected request, as it came. */
  lastAnswer = new Uint8Array(0);

  constructor(device: LogicalDevice, sap: number, counter = 100) {
    this.connection = new ServerConnection(device, { crypto: nodeCrypto, random: seeded(9) });
    this.sap = sap;
    this.counter = counter;
  }

  /** Octets of an APDU as they are; the answer's octets, undefined when there is none. */
  raw(apdu: Uint8Array): Uint8Array | undefined {
    const { send } = this.connection.receive(wrap(this.sap, 1, apdu));
    const [answer] = send;
    return answer && decode(Wrapper, answer).apdu.slice();
  }

  protect(apdu: Uint8Array): Uint8Array {
    const sender = { systemTitle: this.title, invocationCounter: this.counter++ };
    return protectApdu(
      nodeCrypto,
      this.keys,
      { form: this.form, scope: this.scope, securityControl: this.securityControl },
      sender,
      apdu,
    );
  }

  open(answer: Uint8Array): Uint8Array {
    const found = protectedApdu(answer);
    if (found === undefined) return answer;
    const opened = openContent(nodeCrypto, this.serverKeys, SERVER_TITLE, found.content);
    if (opened.kind !== "opened") throw new Error(`the answer does not open: ${opened.because}`);
    return opened.apdu;
  }

  /** A protected request; the answer opened and decoded. */
  secured(apdu: Uint8Array): Apdu {
    const answer = this.raw(this.protect(apdu));
    if (answer === undefined) throw new Error("no answer");
    this.lastAnswer = answer as typeof this.lastAnswer;
    return decodeApdu(this.open(answer));
  }

  /** A request in clear; the answer decoded. */
  clear(apdu: Uint8Array): Apdu {
    const answer = this.raw(apdu);
    if (answer === undefined) throw new Error("no answer");
    return decodeApdu(answer);
  }

  aarq({ aarq = {}, initiate = {}, services = ALL_SERVICES }: Greeting = {}): Uint8Array {
    const request = encode(InitiateRequest, {
      dedicatedKey: undefined,
      responseAllowed: true,
      proposedQualityOfService: undefined,
      proposedDlmsVersionNumber: DLMS_VERSION,
      proposedConformance: services.reduce((bits, service) => bits | CONFORMANCE[service], 0),
      clientMaxReceivePduSize: 0,
      ...initiate,
    });
    const ciphered = this.sap === SAP.secured;
    const proving = ciphered || this.sap === SAP.provingInClear;
    const mechanism = proving ? "hls-gmac" : this.sap === SAP.secret ? "lls" : "none";
    return encode(AarqCodec, {
      ...NO_AARQ_FIELDS,
      applicationContextName: contextOf(ciphered),
      callingApTitle: proving ? this.title : undefined,
      senderAcseRequirements: mechanism === "none" ? undefined : true,
      mechanismName: mechanism === "none" ? undefined : MECHANISM_OF[mechanism],
      callingAuthenticationValue: proving ? this.challenge : mechanism === "lls" ? SECRET : undefined,
      userInformation: ciphered ? this.protect(request) : request,
      ...aarq,
    });
  }

  greet(greeting: Greeting = {}): Aare {
    const answer = this.raw(this.aarq(greeting));
    if (answer === undefined) throw new Error("no answer");
    return decode(Aare, answer);
  }

  replyToHls(proof: Uint8Array): Uint8Array {
    return encode(ActionRequest, {
      kind: "normal",
      invokeIdAndPriority: INVOKE,
      cosemMethodDescriptor: { classId: 15, instanceId: "0.0.40.0.0.255", methodId: 1 },
      methodInvocationParameters: { type: "octet-string", value: proof },
    });
  }

  proof(challenge: Uint8Array): Uint8Array {
    return proveGmac(nodeCrypto, this.keys, { systemTitle: this.title, invocationCounter: this.counter++ }, challenge);
  }

  /** AARQ and, where the rule wants it, passes 3 and 4. */
  associate(greeting: Greeting = {}): Apdu | undefined {
    const aare = this.greet(greeting);
    if (aare.result !== 0) throw new Error(`rejected: ${aare.resultSourceDiagnostic.value}`);
    const challenge = aare.respondingAuthenticationValue;
    if (challenge === undefined) return undefined;
    const reply = this.replyToHls(this.proof(challenge));
    return this.sap === SAP.secured ? this.secured(reply) : this.clear(reply);
  }
}
