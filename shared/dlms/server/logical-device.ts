import type { Referencing } from "../conformance.ts";
import type { LogicalName } from "../logical-name.ts";
import type { CipheringSecrets } from "../security/general-ciphering.ts";
import type { Hls } from "../security/hls.ts";
import type { CipherKeys } from "../security/protection.ts";
import type { SecurityPolicy } from "../security/security-policy.ts";
import type { SecuritySuite } from "../security/security-suite.ts";
import type { CosemObject } from "./cosem-object.ts";

/** What a meter remembers of invocation counters under one key and client title. It forgets nothing in a power cut. */
export interface CounterMemory {
  /** The highest counter accepted from the client, or what was stored; undefined: none yet. */
  lastAccepted(): number | undefined;
  /** A message verified and was fresh. Its counter may lie below the highest: a proof is made before what carries it. */
  accepted(counter: number): void;
  /** A message verified but was not newer: a replay, or a client that uses a counter twice. */
  refused(counter: number): void;
  /** The meter's own next counter; never the same twice. */
  nextOwn(): number;
}

/** How one client must prove itself, by its SAP. */
export type ClientSecurity =
  | { readonly mechanism: "none" }
  | { readonly mechanism: "lls"; readonly secret: Uint8Array }
  | (HlsSecurity & { readonly mechanism: "hls-gmac" | "hls-ecdsa" })
  | (HlsSecurity & { readonly mechanism: "hls-md5" | "hls-sha1" | "hls-sha256"; readonly hlsSecret: Uint8Array })
  | (HlsSecurity & { readonly mechanism: "hls-manufacturer"; readonly hls: Hls });

/** What any HLS association has. */
export interface HlsSecurity {
  /** Application context with ciphering: every message protected as the policy demands. */
  readonly ciphered: boolean;
  readonly clientSystemTitle: Uint8Array;
  /** Global unicast and authentication key. */
  readonly keys: CipherKeys;
  readonly counters: CounterMemory;
  /** 0 where absent. */
  readonly suite?: SecuritySuite;
  /** Authenticated and encrypted both ways where absent. */
  readonly policy?: SecurityPolicy;
  /** Master key, and in suites 1 and 2 the keys to sign and agree with. */
  readonly secrets?: Omit<CipheringSecrets, "global" | "curve">;
  /** Transaction ids under agreed keys rise; absent: remembered for one association only. */
  readonly transactions?: TransactionMemory;
}

/** The highest transaction id accepted from the client. */
export interface TransactionMemory {
  last: bigint | undefined;
}

export interface ClientRule {
  readonly security: ClientSecurity;
  /** By logical names where absent. */
  readonly referencing?: Referencing;
  /** There is an association without an AARQ, of these services and with APDUs of at most so many octets; it can't be released. */
  readonly preEstablished?: { readonly conformance: number; readonly clientMaxPduSize: number };
  /** What this client sees, but for the association object. */
  readonly objects: () => readonly CosemObject[];
  /** Logical name of the security setup object in force. */
  readonly securitySetup: LogicalName | undefined;
}

/** Where a server may be made to misbehave. A genuine one leaves each as it is. */
export interface Tampering {
  readonly challenge?: (own: Uint8Array, ofClient: Uint8Array) => Uint8Array;
  readonly proof?: (own: Uint8Array) => Uint8Array;
}

/** A logical device (IEC 62056-6-2) behind one server SAP. */
export interface LogicalDevice {
  readonly serverSap: number;
  /** 8 octets. */
  readonly systemTitle: Uint8Array;
  /** Largest APDU that it takes and sends, octets, protection included. */
  readonly maxPduSize: number;
  /** Services that it offers, as in the conformance block. */
  readonly conformance: number;
  /** Clients whose APDUs nobody answers: what stands in front of the meter lives, and it does not. */
  readonly unanswered?: ReadonlySet<number>;
  /** By client SAP; any other is refused. */
  readonly clients: ReadonlyMap<number, ClientRule>;
  readonly tampering?: Tampering;
  /** A client confirmed the push of this long invoke id. */
  readonly onConfirmed?: (longInvokeIdAndPriority: number) => void;
}
