import type { Crypto } from "../../ports/crypto.ts";
import { assert } from "../../ports/errors.ts";
import type { Random } from "../../ports/random.ts";
import { decode, encode } from "../../wire/codec.ts";
import { Aare, ACSE_SERVICE_USER, ASSOCIATION_RESULT, NO_AARE_FIELDS } from "../aare.ts";
import { Aarq } from "../aarq.ts";
import type { ActionResponseWithOptionalData } from "../action-response.ts";
import { STREAM_MAX } from "../block-stream.ts";
import { CONFORMANCE, conformanceFor } from "../conformance.ts";
import type { Data } from "../data.ts";
import { DataNotificationConfirm } from "../data-notification-confirm.ts";
import { DLMS_VERSION } from "../initiate-request.ts";
import { InitiateResponse, VAA_NAME_LN } from "../initiate-response.ts";
import { ASSOCIATION_SN_BASE_NAME } from "../objects/association-sn.ts";
import { RELEASE_RESPONSE_REASON, Rlre, Rlrq } from "../release.ts";
import { ECDSA_CHALLENGE_MIN, type Hls } from "../security/hls.ts";
import type { Dress } from "../security/secured-apdu.ts";
import { isHls, type Judged, judge, rejection } from "./associate.ts";
import { type AssociationView, associationObject, contextOf, MECHANISM_OF } from "./association-object.ts";
import { AssociationServices } from "./association-services.ts";
import { associationSnObject } from "./association-sn-object.ts";
import { BlockServer } from "./block-server.ts";
import { actionResult, type CosemObject, type CosemObjects, cosemObjects } from "./cosem-object.ts";
import type { ClientRule, LogicalDevice } from "./logical-device.ts";
import {
  decodedOr,
  exception,
  openRequest,
  protectAnswer,
  protectionOctets,
  type SecureContext,
} from "./protection.ts";
import { hlsOf, secureContextOf, withDedicatedKey } from "./secure-context.ts";
import { NOT_NEGOTIATED } from "./service.ts";
import { type ShortNames, shortNames } from "./short-names.ts";

export interface ServerPorts {
  readonly crypto: Crypto;
  /** Challenges. */
  readonly random: Random;
}

const CHALLENGE_OCTETS = 16;
/** General-Glo-Ciphering, General-Ciphering, General-Signing. */
const GENERAL: ReadonlySet<number> = new Set([0xdb, 0xdd, 0xdf]);
const GBT = CONFORMANCE["general-block-transfer"];

interface Established {
  readonly status: "association-pending" | "associated";
  readonly conformance: number;
  readonly clientMaxPduSize: number;
  readonly secure: SecureContext | undefined;
  readonly ciphered: boolean;
  /** Until pass 4. */
  readonly challenges: { readonly hls: Hls; readonly client: Uint8Array; readonly own: Uint8Array } | undefined;
  /** Floor of a proof's counter: what had been accepted before the request that carries it. */
  readonly proofFloor: number | undefined;
  readonly objects: CosemObjects;
  /** Short-name referencing. */
  readonly names: ShortNames | undefined;
}

/**
 * The server side of one association, between one client SAP and the device: an APDU in, an APDU or nothing out.
 * Total: any octets get an answer, an exception or nothing, and change nothing that they are not entitled to.
 */
export class ServerAssociation {
  readonly #device: LogicalDevice;
  readonly #clientSap: number;
  readonly #rule: ClientRule;
  readonly #ports: ServerPorts;
  readonly #services = new AssociationServices();
  readonly #blocks = new BlockServer();
  /** The request came in General-Block-Transfer: its answer may be of any length. */
  #unlimited = false;
  #state: Established | undefined;

  constructor(device: LogicalDevice, clientSap: number, rule: ClientRule, ports: ServerPorts) {
    this.#device = device;
    this.#clientSap = clientSap;
    this.#rule = rule;
    this.#ports = ports;
    if (rule.preEstablished !== undefined) this.#state = this.#preEstablished(rule.preEstablished);
  }

  /** An association that was agreed on beforehand: nobody asks for it, nobody ends it. */
  #preEstablished({ conformance, clientMaxPduSize }: NonNullable<ClientRule["preEstablished"]>): Established {
    const { security, referencing = "logical-name" } = this.#rule;
    return {
      status: "associated",
      conformance: conformanceFor(referencing, conformance & this.#device.conformance),
      clientMaxPduSize,
      secure: this.#secureContext(),
      ciphered: isHls(security) && security.ciphered,
      challenges: undefined,
      proofFloor: undefined,
      ...this.#objects(),
    };
  }

  /** True while blocks of an answer wait to be asked for. */
  get blocksWaiting(): boolean {
    return this.#services.inProgress;
  }

  get associated(): boolean {
    return this.#state?.status === "associated";
  }

  /** The answers to an APDU, General-Block-Transfer included. */
  receiveAny(apdu: Uint8Array): readonly Uint8Array[] {
    const state = this.#state;
    const inBlocks = apdu[0] === 0xe0 && state !== undefined && (state.conformance & GBT) !== 0;
    if (!inBlocks || apdu.length > this.#device.maxPduSize) {
      const answer = this.receive(apdu);
      return answer === undefined ? [] : [answer];
    }
    this.#unlimited = true;
    try {
      const blocks = this.#blocks.receive(apdu, this.#sendMax(state), (whole) => this.#request(whole));
      return blocks ?? [exception("service-not-allowed", "other-reason")];
    } finally {
      this.#unlimited = false;
    }
  }

  receive(apdu: Uint8Array): Uint8Array | undefined {
    if (apdu.length > this.#device.maxPduSize) return exception("service-not-allowed", "pdu-too-long");
    const fixed = this.#rule.preEstablished !== undefined;
    switch (apdu[0]) {
      case 0x60:
        return fixed ? exception("service-not-allowed", "operation-not-possible") : this.#associate(apdu);
      case 0x62:
        return fixed ? exception("service-not-allowed", "operation-not-possible") : this.#release(apdu);
      default:
        return this.#confirmedAlone(apdu) ? undefined : this.#request(apdu);
    }
  }

  /** A DataNotification-Confirm outside of any association: opened by the keys of the rule where it has some. */
  #confirmedAlone(octets: Uint8Array): boolean {
    if (this.#state !== undefined) return false;
    const { security } = this.#rule;
    const secure = isHls(security) && security.ciphered ? this.#secureContext() : undefined;
    if (secure === undefined) return this.#confirmed(octets);
    const opened = GENERAL.has(octets[0] ?? 0) ? decodedOr(() => openRequest(secure, octets)) : undefined;
    return opened?.kind === "opened" && this.#confirmed(opened.apdu);
  }

  /** Nothing is said to a confirmation. */
  #confirmed(apdu: Uint8Array): boolean {
    const confirm = apdu[0] === 0x10 ? decodedOr(() => decode(DataNotificationConfirm, apdu)) : undefined;
    if (confirm === undefined) return false;
    this.#device.onConfirmed?.(confirm.longInvokeIdAndPriority);
    return true;
  }

  #drop(): void {
    this.#state = undefined;
    this.#services.abort();
  }

  #secureContext(): SecureContext | undefined {
    const { security } = this.#rule;
    return isHls(security) ? secureContextOf(this.#ports, this.#device.systemTitle, security) : undefined;
  }

  #associate(apdu: Uint8Array): Uint8Array {
    this.#drop();
    const aarq = decodedOr(() => decode(Aarq, apdu));
    if (aarq === undefined) return exception("service-not-allowed", "other-reason");
    const secure = this.#secureContext();
    const judged = judge(aarq, this.#device, this.#rule, secure);
    if (judged.kind === "stale") return exception("service-not-allowed", "invocation-counter-error", judged.least);
    if (judged.kind === "rejected")
      return rejection(aarq.applicationContextName, judged.diagnostic, judged.initiateError);
    return this.#accept(judged, secure);
  }

  #accept(judged: Extract<Judged, { kind: "accepted" }>, global: SecureContext | undefined): Uint8Array {
    const { security } = this.#rule;
    const { crypto, random } = this.#ports;
    const { mechanism } = security;
    const { dedicatedKey, clientMaxReceivePduSize } = judged.initiate;
    const ciphered = judged.dress !== undefined;
    const secure =
      dedicatedKey === undefined || global === undefined ? global : withDedicatedKey(crypto, global, dedicatedKey);
    const hls = isHls(security) && global !== undefined ? hlsOf(crypto, security, global) : undefined;
    const proving = hls !== undefined;
    const client = judged.clientChallenge ?? new Uint8Array(0);
    const fresh = random.octets(mechanism === "hls-ecdsa" ? ECDSA_CHALLENGE_MIN : CHALLENGE_OCTETS);
    const own = this.#device.tampering?.challenge?.(fresh, client) ?? fresh;
    this.#state = {
      status: proving ? "association-pending" : "associated",
      conformance: judged.conformance,
      clientMaxPduSize: clientMaxReceivePduSize,
      secure,
      ciphered,
      challenges: hls && { hls, client, own },
      proofFloor: undefined,
      ...this.#objects(),
    };
    const response = encode(InitiateResponse, {
      negotiatedQualityOfService: undefined,
      negotiatedDlmsVersionNumber: DLMS_VERSION,
      negotiatedConformance: judged.conformance,
      serverMaxReceivePduSize: this.#device.maxPduSize,
      vaaName: this.#rule.referencing === "short-name" ? ASSOCIATION_SN_BASE_NAME : VAA_NAME_LN,
    });
    return encode(Aare, {
      ...NO_AARE_FIELDS,
      applicationContextName: contextOf(ciphered, this.#rule.referencing),
      result: ASSOCIATION_RESULT.accepted,
      resultSourceDiagnostic: {
        kind: "acseServiceUser",
        value: ACSE_SERVICE_USER[proving ? "authentication-required" : "null"],
      },
      ...(proving && {
        respondingApTitle: this.#device.systemTitle,
        responderAcseRequirements: true,
        mechanismName: MECHANISM_OF[mechanism],
        respondingAuthenticationValue: own,
      }),
      userInformation:
        judged.dress !== undefined && secure !== undefined
          ? protectAnswer(secure, judged.dress, response, true)
          : response,
    });
  }

  #objects(): Pick<Established, "objects" | "names"> {
    const others = this.#rule.objects();
    const view = () => this.#view();
    const reply = (parameters: Data | undefined) => this.#replyToHls(parameters);
    if (this.#rule.referencing !== "short-name")
      return { objects: cosemObjects([associationObject(view, () => others, reply), ...others]), names: undefined };
    const association: CosemObject = associationSnObject(view, () => names, reply);
    const objects = cosemObjects([association, ...others]);
    const names = shortNames(objects.values());
    return { objects, names };
  }

  #view(): AssociationView {
    const state = this.#state;
    return {
      clientSap: this.#clientSap,
      serverSap: this.#device.serverSap,
      applicationContext: contextOf(state?.ciphered ?? false, this.#rule.referencing),
      mechanism: MECHANISM_OF[this.#rule.security.mechanism],
      conformance: state?.conformance ?? 0,
      maxReceivePduSize: this.#device.maxPduSize,
      maxSendPduSize: this.#sendMax(state),
      status: state?.status ?? "non-associated",
      securitySetup: this.#rule.securitySetup,
    };
  }

  #sendMax(state: Established | undefined): number {
    const size = state?.clientMaxPduSize ?? 0;
    return size === 0 ? this.#device.maxPduSize : Math.min(size, this.#device.maxPduSize);
  }

  /** Passes 3 and 4: verifies f(StoC) and answers f(CtoS); any fault ends the association. */
  #replyToHls(parameters: Data | undefined): ActionResponseWithOptionalData {
    const state = this.#state;
    if (state?.challenges === undefined || state.secure === undefined) return actionResult("read-write-denied");
    const { hls, client, own } = state.challenges;
    const proved = parameters?.type === "octet-string" ? hls.verify(own, client, parameters.value) : undefined;
    const fresh = proved !== undefined && (proved.counter === undefined || this.#isFreshProof(proved.counter, state));
    if (!fresh) {
      this.#drop();
      return actionResult("read-write-denied");
    }
    this.#state = { ...state, status: "associated", challenges: undefined };
    const proof = hls.prove(client, own);
    return actionResult("success", {
      type: "octet-string",
      value: this.#device.tampering?.proof?.(proof) ?? proof,
    });
  }

  /**
   * The proof was made before the request that carries it, so its counter is above all that had been accepted before
   * that request. A public peer (dlms-cosem) gives both one counter: taken, as meters do, but the memory is told twice.
   */
  #isFreshProof(counter: number, state: Established): boolean {
    const { counters } = state.secure?.global ?? {};
    assert(counters !== undefined, "a proof needs keys");
    const floor = state.ciphered ? state.proofFloor : counters.lastAccepted();
    const fresh = floor === undefined || counter > floor;
    if (fresh) counters.accepted(counter);
    else counters.refused(counter);
    return fresh;
  }

  #release(apdu: Uint8Array): Uint8Array {
    const rlrq = decodedOr(() => decode(Rlrq, apdu));
    if (rlrq === undefined) return exception("service-not-allowed", "other-reason");
    const { secure, ciphered } = this.#state ?? {};
    const information = rlrq.userInformation;
    // A release without user-information proves nothing, but it asks for no more than closing the connection does.
    if (ciphered && secure !== undefined && information !== undefined) {
      const opened = decodedOr(() => openRequest(secure, information, true));
      if (opened?.kind === "stale") return exception("service-not-allowed", "invocation-counter-error", opened.least);
      if (opened?.kind !== "opened") return exception("service-not-allowed", "deciphering-error");
    }
    this.#drop();
    return encode(Rlre, { reason: RELEASE_RESPONSE_REASON.normal, userInformation: undefined });
  }

  #request(octets: Uint8Array): Uint8Array | undefined {
    const state = this.#state;
    if (state === undefined) return exception("service-not-allowed", "operation-not-possible");
    const { secure } = state;
    if (!state.ciphered || secure === undefined) return this.#served(octets, state, undefined);
    const opened = decodedOr(() => openRequest(secure, octets));
    if (opened === undefined) return exception("service-not-allowed", "other-reason");
    if (opened.kind === "stale") return exception("service-not-allowed", "invocation-counter-error", opened.least);
    if (opened.kind === "refused")
      return opened.because === "clear"
        ? exception("service-not-allowed", "operation-not-possible")
        : exception("service-not-allowed", "deciphering-error");
    const held = { ...state, proofFloor: opened.before };
    this.#state = held;
    return this.#served(opened.apdu, held, opened.dress);
  }

  #served(apdu: Uint8Array, state: Established, dress: Dress | undefined): Uint8Array | undefined {
    if (this.#confirmed(apdu)) return undefined;
    const sendMax = this.#unlimited ? STREAM_MAX : this.#sendMax(state);
    const answerMax =
      dress === undefined
        ? sendMax
        : sendMax - (state.secure === undefined ? 0 : protectionOctets(state.secure, dress));
    const { objects, names, conformance, status } = state;
    const context = { objects, names, conformance, answerMax, pending: status === "association-pending" };
    const answer = this.#services.serve(apdu, context);
    if (answer === "unconfirmed") return undefined;
    if (answer === "malformed") return exception("service-not-allowed", "other-reason");
    if (answer === "unknown" || answer === NOT_NEGOTIATED) return exception("service-unknown", "service-not-supported");
    if (answer === "too-long") return exception("service-not-allowed", "pdu-too-long");
    if (answer === "pending") return exception("service-not-allowed", "operation-not-possible");
    return dress === undefined || state.secure === undefined ? answer : protectAnswer(state.secure, dress, answer);
  }
}
