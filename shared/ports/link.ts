import { HeadraceError, type Retry } from "./errors.ts";

/** Octets to and from one peer. Sockets, byte pipes and the simulation implement it. */
export interface Link {
  /** `stream` (TCP: receive answers chunks cut anywhere) or `datagram` (UDP: one receive is one datagram). */
  readonly kind: "stream" | "datagram";
  send(octets: Uint8Array): Promise<void>;
  /**
   * The next octets. Rejects with `LinkError` `link.timeout` at `deadline` (clock milliseconds) and `link.closed`
   * when the peer has closed and nothing is left to read.
   */
  receive(deadline: number): Promise<Uint8Array>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

export type LinkCode = "link.unreachable" | "link.closed" | "link.timeout" | "link.route-lost";

/** What can go wrong on a link; every one is worth another try. */
export class LinkError extends HeadraceError {
  declare readonly code: LinkCode;
  constructor(
    code: LinkCode,
    message: string,
    options: { readonly cause?: unknown; readonly detail?: object; readonly retry?: Retry } = {},
  ) {
    super(code, message, { retry: "later", ...options });
  }
}
