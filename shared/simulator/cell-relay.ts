import { type AContext, AContext as AContextCodec } from "../c1222/a-context.ts";
import { addressedAs, titleKind } from "../c1222/addressing.ts";
import { absoluteTitle, sameTitle } from "../c1222/ap-title.ts";
import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import { clearAnswer } from "../c1222/clear-message.ts";
import { readPayload } from "../c1222/epsem.ts";
import { type NativeAddress, nativeAddressOctets } from "../c1222/native-address.ts";
import { responseCode } from "../c1222/response-code.ts";
import { controlOf } from "../c1222/security/secured-apdu.ts";
import { DATAGRAM_OCTETS, datagramsOf, isSegment } from "../c1222/segmentation.ts";
import type { Delivery } from "../c1222/server/server-node.ts";
import { decodeRequest, type Request } from "../c1222/services/request.ts";
import { identified, okResponse, type Response, refusal } from "../c1222/services/response.ts";
import { below, chance, type Random } from "../ports/random.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";

/** A node of a relay's branch: one datagram in, datagrams out, each at its own time. */
export interface BranchNode {
  readonly apTitle: string;
  datagram(octets: Uint8Array): readonly Delivery[];
}

/** What a branch does to each datagram on it, by chance. */
export interface BranchFaults {
  /** Shares of 0 to 1. */
  readonly drop: number;
  readonly duplicate: number;
  /** Each datagram takes up to so long, ms: what is sent later may come earlier. */
  readonly delayMs: number;
}
export const QUIET_BRANCH: BranchFaults = { drop: 0, duplicate: 0, delayMs: 0 };

export interface CellRelayOptions {
  readonly apTitle: string;
  readonly nativeAddress: NativeAddress;
  readonly branch: readonly BranchNode[];
  /** Titles that are repeated to the whole branch; a broadcast to the branch is so by its arcs. */
  readonly groups: readonly string[];
  readonly random: Random;
  readonly faults: BranchFaults;
}

/** What came in and what went to the branch: a request to a group is one in, and one out for each node. */
export interface RelayCounts {
  received: number;
  repeated: number;
  copies: number;
  forwarded: number;
  refused: number;
}

/**
 * A simulated cell relay: passes messages on by their called title, repeats those to a group, and answers Identification,
 * Resolve and Trace itself. It has no key of any node and opens nothing. What it cannot deliver it says in clear, in the
 * node's stead; to a group it says nothing.
 */
export class CellRelay {
  readonly counts: RelayCounts = { received: 0, repeated: 0, copies: 0, forwarded: 0, refused: 0 };
  readonly #options: CellRelayOptions;
  readonly #branch: ReadonlyMap<string, BranchNode>;
  #invocationId = 0;

  constructor(options: CellRelayOptions) {
    this.#options = options;
    this.#branch = new Map(options.branch.map((node) => [absoluteTitle(node.apTitle), node]));
  }

  get apTitle(): string {
    return this.#options.apTitle;
  }

  /** A connection from upstream. `close`: the framing is lost. */
  connect(): { receive(octets: Uint8Array): { readonly send: readonly Delivery[]; readonly close: boolean } } {
    const splitter = new ApduSplitter();
    return {
      receive: (octets) => {
        try {
          return { send: splitter.push(octets).flatMap((apdu) => this.datagram(apdu)), close: false };
        } catch (error) {
          if (error instanceof WireError) return { send: [], close: true };
          throw error;
        }
      },
    };
  }

  /** Total: an APDU or a segment from upstream; what goes upstream for it, each at its own time. */
  datagram(octets: Uint8Array): readonly Delivery[] {
    try {
      return this.#pass(octets, decode(AContextCodec, octets));
    } catch (error) {
      if (error instanceof WireError) return [];
      throw error;
    }
  }

  /** What a node sends by itself (a registration, a notification), as it comes upstream. */
  upstream(octets: Uint8Array): readonly Delivery[] {
    return this.#hop({ octets, afterMs: 0 });
  }

  #pass(octets: Uint8Array, apdu: AContext): readonly Delivery[] {
    const { apTitle, groups, branch } = this.#options;
    const { calledApTitle: called } = apdu;
    this.counts.received += 1;
    if (called === undefined || sameTitle(called, apTitle)) return this.#serve(apdu);
    const node = this.#branch.get(absoluteTitle(called));
    if (node !== undefined) {
      this.counts.forwarded += 1;
      return this.#deliver(node, octets);
    }
    const isGroup = groups.some((group) => sameTitle(group, called)) || titleKind(called) === "broadcast";
    if (!isGroup) return titleKind(called) === "node" ? this.#refuse(apdu, "uat") : [];
    this.counts.repeated += 1;
    const named = groups.some((group) => sameTitle(group, called));
    const meant = branch.filter(
      (one) => named || addressedAs(called, { apTitle: one.apTitle, groups: [] }) === "group",
    );
    this.counts.copies += meant.length;
    return meant.flatMap((one) => this.#deliver(one, octets));
  }

  /** Down the branch and up again. */
  #deliver(node: BranchNode, octets: Uint8Array): readonly Delivery[] {
    return datagramsOf(octets, DATAGRAM_OCTETS)
      .flatMap((datagram) => this.#hop({ octets: datagram, afterMs: 0 }))
      .toSorted((left, right) => left.afterMs - right.afterMs)
      .flatMap((down) =>
        node
          .datagram(down.octets)
          .flatMap((up) => this.#hop({ octets: up.octets, afterMs: down.afterMs + up.afterMs })),
      );
  }

  /** One datagram over the branch: lost, once or twice, late. */
  #hop({ octets, afterMs }: Delivery): readonly Delivery[] {
    const { random, faults } = this.#options;
    const late = (): number => (faults.delayMs === 0 ? 0 : below(random, faults.delayMs));
    if (faults.drop > 0 && chance(random, faults.drop)) return [];
    const once = { octets, afterMs: afterMs + late() };
    return faults.duplicate > 0 && chance(random, faults.duplicate)
      ? [once, { octets, afterMs: afterMs + late() }]
      : [once];
  }

  #refuse(apdu: AContext, code: string): readonly Delivery[] {
    this.counts.refused += 1;
    // Only a whole request tells whether an answer is wanted; a segment's rest would be refused with it.
    if (isSegment(apdu) || controlOf(apdu).responseControl === 2) return [];
    return this.#answer(apdu, apdu.calledApTitle ?? ".", [refusal(responseCode(code))]);
  }

  #answer(apdu: AContext, from: string, responses: readonly Response[]): readonly Delivery[] {
    if (apdu.callingApTitle === undefined || apdu.calledApInvocationId !== undefined) return [];
    this.#invocationId = (this.#invocationId + 1) & 0x7fff_ffff;
    const octets = clearAnswer(apdu, { from, invocationId: this.#invocationId }, responses);
    return [{ octets, afterMs: 0 }];
  }

  /** Its own services, which need no key. */
  #serve(apdu: AContext): readonly Delivery[] {
    const control = controlOf(apdu);
    if (control.securityMode !== 0) return this.#answer(apdu, this.apTitle, [refusal(responseCode("sme"))]);
    const { services } = readPayload(apdu.userInformation.octetAligned.subarray(1), control.edClassIncluded);
    const responses: Response[] = [];
    for (const service of services) {
      responses.push(this.#respond(service));
      if (responses.at(-1)?.code !== 0) break;
    }
    return control.responseControl === 2 ? [] : this.#answer(apdu, this.apTitle, responses);
  }

  #respond(service: Uint8Array): Response {
    let request: Request;
    try {
      request = decodeRequest(service);
    } catch (error) {
      if (error instanceof WireError) return refusal(responseCode(error.code === "wire.tag" ? "sns" : "err"));
      throw error;
    }
    switch (request.service) {
      case "identification":
        return identified(0, true);
      case "resolve":
        return this.#knows(request.apTitle)
          ? okResponse({ kind: "resolve", nativeAddress: nativeAddressOctets(this.#options.nativeAddress) })
          : refusal(responseCode("uat"));
      case "trace":
        return this.#knows(request.apTitle)
          ? okResponse({ kind: "trace", apTitles: [this.apTitle, request.apTitle] })
          : { ...refusal(responseCode("uat")), apTitles: [this.apTitle] };
      default:
        return refusal(responseCode("sns"));
    }
  }

  /** A node of the branch is reached at the relay's own address. */
  #knows(title: string): boolean {
    return sameTitle(title, this.apTitle) || this.#branch.has(absoluteTitle(title));
  }
}
