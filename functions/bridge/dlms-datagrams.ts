import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { DlmsPushes } from "../../shared/bridge/dlms-pushes.ts";
import { WrapperSplitter, wrap } from "../../shared/dlms/wrapper.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Crypto } from "../../shared/ports/crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { WireError } from "../../shared/wire/wire-error.ts";

export interface DlmsDatagrams {
  readonly port: number;
  close(): void;
}

/** The network may bring a datagram twice; within so long, ms, the same octets are one. Later they are a replay. */
const SAME_MS = 2_000;
const REMEMBERED_MAX = 16_384;

/** What was said a moment ago; bounded. */
function recent(clock: Pick<Clock, "now">): (digest: string) => boolean {
  let since = clock.now();
  let [older, newer] = [new Set<string>(), new Set<string>()];
  return (digest) => {
    if (clock.now() - since >= SAME_MS || newer.size >= REMEMBERED_MAX) {
      older = clock.now() - since >= 2 * SAME_MS ? new Set() : newer;
      newer = new Set();
      since = clock.now();
    }
    if (older.has(digest) || newer.has(digest)) return true;
    newer.add(digest);
    return false;
  };
}

/**
 * Opens the port for what DLMS meters push by UDP: wrapper PDUs, whole in each datagram. A confirmation goes back to where
 * the datagram came from.
 */
export async function openDlmsDatagrams(
  pushes: Pick<DlmsPushes, "receive">,
  { clock, crypto }: { readonly clock: Pick<Clock, "now">; readonly crypto: Crypto },
  { port, host }: { readonly port: number; readonly host: string },
  mayReceive: () => boolean,
): Promise<DlmsDatagrams> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  socket.on("error", () => undefined); // an answer that cannot be sent is an answer that is lost
  const saidBefore = recent(clock);
  socket.on("message", (datagram, peer) => {
    if (peer.port === 0 || !mayReceive()) return;
    const octets = new Uint8Array(datagram);
    if (saidBefore(toHex(crypto.hash("sha256", octets)))) return;
    try {
      const splitter = new WrapperSplitter();
      for (const { sourceWPort, destinationWPort, apdu } of splitter.push(octets))
        void pushes.receive(apdu, { transport: "udp" }).then((answer) => {
          if (answer !== undefined)
            socket.send(wrap(destinationWPort, sourceWPort, answer), peer.port, peer.address, () => undefined);
        });
    } catch (error) {
      if (!(error instanceof WireError)) throw error; // no wrapper PDU: nothing of ours
    }
  });
  socket.bind(port, host);
  await once(socket, "listening");
  return { port: socket.address().port, close: () => socket.close() };
}
