import { below, type Random } from "../../ports/random.ts";
import type { AContext } from "../a-context.ts";
import { unsignedOf } from "../a-context.ts";
import { clearRequest } from "../clear-message.ts";
import { readPayload } from "../epsem.ts";
import { controlOf } from "../security/secured-apdu.ts";
import type { Register } from "../services/register.ts";
import { decodeResponse } from "../services/response.ts";

export interface RegistrantOptions {
  readonly register: Register;
  /** Title of the master relay; `.`: not known, whoever gets it may answer. */
  readonly masterTitle: string;
  readonly nextInvocationId: () => number;
  readonly random: Random;
  /** Seconds that are waited at most after power-up, until a master has said another number. */
  readonly firstDelay: number;
}

export type RegistrantState = "unregistered" | "asking" | "registered" | "refused";

/** Without an answer it is asked again after so long, ms: doubled each time. */
const AGAIN_MS = { first: 15_000, most: 900_000 };

/** A node's side of its registration: waits a random time after power-up, asks, and renews in time. */
export class Registrant {
  readonly #options: RegistrantOptions;
  #state: RegistrantState = "unregistered";
  #dueAt: number;
  #againMs = AGAIN_MS.first;
  #asked: number | undefined;
  #delay: number;

  /** `now`: of power-up, clock milliseconds. */
  constructor(options: RegistrantOptions, now: number) {
    this.#options = options;
    this.#delay = options.firstDelay;
    this.#dueAt = now + this.#startMs();
  }

  get state(): RegistrantState {
    return this.#state;
  }

  /** When `due` is to be asked again. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** The registration to be sent now; undefined: none is due. */
  due(now: number): Uint8Array | undefined {
    if (now < this.#dueAt) return undefined;
    if (this.#state !== "registered") this.#state = "asking";
    this.#dueAt = now + this.#againMs;
    this.#againMs = Math.min(AGAIN_MS.most, 2 * this.#againMs);
    return this.#request({ service: "register", ...this.#options.register });
  }

  /** Takes an answer to its own request; false: it is none. Throws `WireError`. */
  receive(now: number, apdu: AContext): boolean {
    const { calledApInvocationId: asked } = apdu;
    if (asked === undefined || this.#asked === undefined || unsignedOf(asked) !== this.#asked) return false;
    this.#asked = undefined;
    const control = controlOf(apdu);
    const { services } = readPayload(apdu.userInformation.octetAligned.subarray(1), control.edClassIncluded);
    const answer = services[0] === undefined ? undefined : decodeResponse("register", services[0]);
    if (answer?.body.kind !== "register") {
      this.#state = "refused"; // asked again all the same: it may be enrolled by then
      return true;
    }
    const { registrationPeriod, registrationDelay } = answer.body.register;
    this.#state = "registered";
    this.#delay = registrationDelay;
    this.#againMs = AGAIN_MS.first;
    this.#dueAt = registrationPeriod === 0 ? Number.POSITIVE_INFINITY : now + (registrationPeriod * 2_000) / 3;
    return true;
  }

  /** Says goodbye. */
  deregister(): Uint8Array {
    this.#state = "unregistered";
    this.#dueAt = Number.POSITIVE_INFINITY;
    return this.#request({ service: "deregister", apTitle: this.#options.register.apTitle });
  }

  /** After a power failure all nodes would ask at once. */
  powerUp(now: number): void {
    this.#state = "unregistered";
    this.#againMs = AGAIN_MS.first;
    this.#dueAt = now + this.#startMs();
  }

  #startMs(): number {
    return this.#delay === 0 ? 0 : below(this.#options.random, this.#delay * 1000);
  }

  #request(request: Parameters<typeof clearRequest>[1]): Uint8Array {
    const { register, masterTitle, nextInvocationId } = this.#options;
    this.#asked = nextInvocationId();
    const { apTitle: from, deviceClass: edClass } = register;
    return clearRequest({ from, to: masterTitle, invocationId: this.#asked, edClass }, request);
  }
}
