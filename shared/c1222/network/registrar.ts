import { WireError } from "../../wire/wire-error.ts";
import type { AContext } from "../a-context.ts";
import { absoluteTitle, sameTitle } from "../ap-title.ts";
import { clearAnswer } from "../clear-message.ts";
import { readPayload } from "../epsem.ts";
import { C1222_PORT, type NativeAddress, nativeAddressOctets, nativeAddressOf } from "../native-address.ts";
import { responseCode } from "../response-code.ts";
import { controlOf } from "../security/secured-apdu.ts";
import { CONNECTION_TYPE, NODE_TYPE, type Register } from "../services/register.ts";
import { decodeRequest, type Request } from "../services/request.ts";
import { identified, okResponse, type Response, refusal } from "../services/response.ts";

/** Where a message came from. */
export interface Origin {
  readonly transport: "tcp" | "udp";
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Names the TCP connection. */
  readonly connection?: string;
}

/** How a registered node is reached. `connection`: over the one that it opened and nothing else. */
export type RegisteredRoute =
  | { readonly kind: "dial"; readonly address: Uint8Array; readonly port: number; readonly transport: "tcp" | "udp" }
  | { readonly kind: "relay"; readonly relay: string; readonly address: Uint8Array; readonly port: number }
  | { readonly kind: "connection"; readonly connection: string };

export interface Registration {
  /** Absolute. */
  readonly apTitle: string;
  readonly nodeType: number;
  readonly connectionType: number;
  readonly deviceClass: Uint8Array;
  readonly electronicSerialNumber: string;
  readonly route: RegisteredRoute;
  readonly origin: Origin;
  /** The registration ends then unless it is renewed, clock milliseconds. */
  readonly until: number;
}

export type RegistrarEvent =
  /** The route is a hint until the node has answered over it under its own key: a registration comes in clear. */
  | { readonly kind: "registered"; readonly registration: Registration }
  /** `origin`: of who asked for it; absent: its connection is over. */
  | { readonly kind: "deregistered"; readonly apTitle: string; readonly origin?: Origin }
  | { readonly kind: "refused"; readonly apTitle: string; readonly code: string };

export interface RegistrarOptions {
  /** The headend's own titles; the first is the one under which it answers. */
  readonly apTitles: readonly [string, ...string[]];
  readonly now: () => number;
  readonly nextInvocationId: () => number;
  /** Whether there is such a node; relays are named apart, for what they pass on is believed to be behind them. */
  readonly enrolled: (apTitle: string) => Promise<"node" | "relay" | undefined>;
  /**
   * Whether the node has proved that it is there: until it has, its registration is for the shortest period, so that it
   * comes again soon.
   */
  readonly proved: (apTitle: string, route: RegisteredRoute, origin: Origin) => Promise<boolean>;
  /** Where a node is that has registered elsewhere, before or with another task; absent: nobody knows. */
  readonly located?: (apTitle: string) => Promise<RegisteredRoute | undefined>;
  /** Seconds: the longest period that is granted, and how long nodes wait at most after power-up. */
  readonly periodMax: number;
  readonly registrationDelay: number;
  /** Registrations kept at most. */
  readonly registrationsMax: number;
}

/** Seconds: a shorter period would be nothing but registrations. */
const PERIOD_MIN = 300;
const sameOctets = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((octet, at) => octet === right[at]);
const sameOrigin = (left: Origin, right: Origin): boolean =>
  left.transport === right.transport &&
  left.connection === right.connection &&
  (left.connection !== undefined || (left.port === right.port && sameOctets(left.address, right.address)));

/**
 * The master relay of a headend: knows where registered nodes are. Accepts enrolled titles only, keeps a registration for
 * the period that it granted, and answers Resolve and Trace of what it knows. It believes no address but the one that a
 * registration came from: what a node says of itself tells only its port and transport.
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #registrations = new Map<string, Registration>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#registrations.size;
  }

  /** The registration of a title that is in force. */
  find(apTitle: string): Registration | undefined {
    const title = absoluteTitle(apTitle);
    const found = this.#registrations.get(title);
    if (found === undefined || found.until > this.#options.now()) return found;
    this.#registrations.delete(title);
    return undefined;
  }

  /** Registrations over a connection end with it. */
  disconnected(connection: string): readonly RegistrarEvent[] {
    const gone = [...this.#registrations.values()].filter(
      ({ route }) => route.kind === "connection" && route.connection === connection,
    );
    for (const { apTitle } of gone) this.#registrations.delete(apTitle);
    return gone.map(({ apTitle }) => ({ kind: "deregistered", apTitle }));
  }

  /**
   * A request in clear to the headend itself; undefined: it is none of the network's services. Throws `WireError` on
   * malformed octets.
   */
  async receive(
    apdu: AContext,
    origin: Origin,
  ): Promise<{ readonly answer: Uint8Array | undefined; readonly events: readonly RegistrarEvent[] } | undefined> {
    const { apTitles, nextInvocationId } = this.#options;
    const { calledApTitle: called, calledApInvocationId: isAnswer, callingApTitle: from } = apdu;
    if (isAnswer !== undefined || from === undefined) return undefined;
    if (called !== undefined && called !== "." && !apTitles.some((own) => sameTitle(own, called))) return undefined;
    const control = controlOf(apdu);
    if (control.securityMode !== 0) return undefined;
    const { services } = readPayload(apdu.userInformation.octetAligned.subarray(1), control.edClassIncluded);
    const requests = services.map((service) => decodeRequest(service));
    if (requests.length === 0 || !requests.every(isNetworkService)) return undefined;
    const responses: Response[] = [];
    const events: RegistrarEvent[] = [];
    for (const request of requests) {
      const { response, event } = await this.#serve(request, absoluteTitle(from), origin);
      responses.push(response);
      if (event !== undefined) events.push(event);
      if (response.code !== 0) break;
    }
    const wanted = control.responseControl === 0 || (control.responseControl === 1 && responses.at(-1)?.code !== 0);
    const answer = wanted
      ? clearAnswer(apdu, { from: apTitles[0], invocationId: nextInvocationId() }, responses)
      : undefined;
    return { answer, events };
  }

  async #serve(
    request: Request,
    from: string,
    origin: Origin,
  ): Promise<{ response: Response; event?: RegistrarEvent }> {
    switch (request.service) {
      case "register":
        return this.#register(request, from, origin);
      case "deregister":
        return this.#deregister(absoluteTitle(request.apTitle), origin);
      case "resolve":
        return { response: await this.#resolve(request.apTitle) };
      case "trace":
        return { response: await this.#trace(request.apTitle) };
      default:
        return {
          response: identified(0, true),
        };
    }
  }

  async #register(register: Register, from: string, origin: Origin) {
    const apTitle = absoluteTitle(register.apTitle);
    const refused = (code: string) => ({
      response: refusal(responseCode(code)),
      event: { kind: "refused", apTitle, code } as const,
    });
    const relay = this.#relayOf(origin);
    // Nobody registers another node but the relay that it is behind.
    if (register.apTitle === "." || (apTitle !== from && relay === undefined)) return refused("uat");
    const kind = await this.#options.enrolled(apTitle);
    if (kind === undefined) return refused("uat");
    if (((register.nodeType & NODE_TYPE.relay) !== 0) !== (kind === "relay")) return refused("iar");
    const route = routeOf(register, origin, relay?.apTitle === apTitle ? undefined : relay);
    if (route === undefined) return refused("iar");
    const { now, proved, periodMax, registrationDelay, registrationsMax } = this.#options;
    if (!this.#registrations.has(apTitle) && !this.#makeRoom(registrationsMax)) return refused("bsy");
    const most = (await proved(apTitle, route, origin)) ? periodMax : PERIOD_MIN;
    const wanted = register.registrationPeriod === 0 ? most : register.registrationPeriod;
    const registrationPeriod = Math.min(most, Math.max(PERIOD_MIN, wanted));
    const { nodeType, connectionType, deviceClass, electronicSerialNumber } = register;
    const registration: Registration = {
      apTitle,
      nodeType,
      connectionType,
      deviceClass,
      electronicSerialNumber,
      route,
      origin,
      until: now() + registrationPeriod * 1000,
    };
    this.#registrations.delete(apTitle); // the newest is last
    this.#registrations.set(apTitle, registration);
    const response = okResponse({
      kind: "register",
      register: {
        apTitle: register.apTitle,
        registrationDelay,
        registrationPeriod,
        registrationInfo: CONNECTION_TYPE.messageAcceptanceWindow | CONNECTION_TYPE.playbackRejection,
      },
    });
    return { response, event: { kind: "registered", registration } as const };
  }

  /** Only from where the registration came, or from its relay: the request is in clear. */
  #deregister(apTitle: string, origin: Origin): { response: Response; event?: RegistrarEvent } {
    const found = this.find(apTitle);
    if (found === undefined) return { response: refusal(responseCode("uat")) };
    const relay = this.#relayOf(origin);
    const isItsRelay = found.route.kind === "relay" && found.route.relay === relay?.apTitle;
    if (!sameOrigin(found.origin, origin) && !isItsRelay) return { response: refusal(responseCode("isc")) };
    this.#registrations.delete(apTitle);
    return { response: okResponse(), event: { kind: "deregistered", apTitle, origin } };
  }

  async #routeTo(apTitle: string): Promise<RegisteredRoute | undefined> {
    return this.find(apTitle)?.route ?? (await this.#options.located?.(absoluteTitle(apTitle)));
  }

  async #resolve(apTitle: string): Promise<Response> {
    const route = await this.#routeTo(apTitle);
    if (route === undefined || route.kind === "connection") return refusal(responseCode("uat"));
    const { address, port } = route;
    const transport = route.kind === "dial" ? route.transport : undefined;
    return okResponse({ kind: "resolve", nativeAddress: nativeAddressOctets({ address, port, transport }) });
  }

  async #trace(apTitle: string): Promise<Response> {
    const own = this.#options.apTitles[0];
    const route = await this.#routeTo(apTitle);
    if (route === undefined) return { ...refusal(responseCode("uat")), apTitles: [own] };
    const between = route.kind === "relay" ? [route.relay] : [];
    return okResponse({ kind: "trace", apTitles: [own, ...between, apTitle] });
  }

  /** The registered relay that a message came from. */
  #relayOf(origin: Origin): Registration | undefined {
    for (const one of this.#registrations.values())
      if ((one.nodeType & NODE_TYPE.relay) !== 0 && sameOrigin(one.origin, origin)) return this.find(one.apTitle);
    return undefined;
  }

  /** Forgets what has run out; false: there is no room all the same. */
  #makeRoom(most: number): boolean {
    if (this.#registrations.size < most) return true;
    for (const apTitle of [...this.#registrations.keys()]) this.find(apTitle);
    return this.#registrations.size < most;
  }
}

const NETWORK_SERVICES: ReadonlySet<Request["service"]> = new Set([
  "register",
  "deregister",
  "resolve",
  "trace",
  "identification",
]);
const isNetworkService = ({ service }: Request): boolean => NETWORK_SERVICES.has(service);

/** Undefined: the node says that it can be reached in no way. */
function routeOf(
  { connectionType, nativeAddress }: Register,
  origin: Origin,
  relay: Registration | undefined,
): RegisteredRoute | undefined {
  const { address, connection } = origin;
  if (relay !== undefined) {
    const port = relay.route.kind === "connection" ? relay.origin.port : relay.route.port;
    return { kind: "relay", relay: relay.apTitle, address, port };
  }
  let said: NativeAddress | undefined;
  try {
    said = nativeAddress.length === 0 ? undefined : nativeAddressOf(nativeAddress);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  const port = said?.port ?? C1222_PORT;
  const accepts = (bit: number): boolean => (connectionType & bit) !== 0;
  if (accepts(CONNECTION_TYPE.acceptConnection)) return { kind: "dial", address, port, transport: "tcp" };
  if (accepts(CONNECTION_TYPE.acceptConnectionless)) return { kind: "dial", address, port, transport: "udp" };
  if (connection !== undefined) return { kind: "connection", connection };
  // Answers come back the way of the question: its own port is open for them as long as the network keeps it so.
  return accepts(CONNECTION_TYPE.connectionless)
    ? { kind: "dial", address, port: origin.port, transport: "udp" }
    : undefined;
}
