import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import type { ConversationWatch, Reception } from "../metering/driver.ts";
import type { Link } from "../ports/link.ts";
import type { RelayConnection } from "./relay-connection.ts";

/**
 * The conversations of headends over a connection that a C12.22 node opened: octets in, cut into requests; the answers to
 * them out, and nothing else that the node says. Closing it ends the connection.
 */
export function nodeLink(connection: RelayConnection): Link {
  const conversation = connection.converse();
  const requests = new ApduSplitter();
  return {
    kind: "stream",
    receive: (deadline) => conversation.receive(deadline),
    async send(octets) {
      for (const apdu of requests.push(octets)) await conversation.send(apdu);
    },
    async close() {
      await conversation.close();
      connection.close();
    },
  };
}

/**
 * An answer names the request that it answers, so that one which comes late reaches nobody: a connection can serve another
 * conversation unless the last one left a part of a request.
 */
function requestWatch(): ConversationWatch {
  const requests = new ApduSplitter();
  return {
    sent: (octets) => void requests.push(octets),
    received: () => undefined,
    get atRest() {
      return requests.pending === 0;
    },
  };
}

/** Nodes that call in name themselves by registering. */
export const c1222Reception: Reception = { protocol: "c1222", watch: requestWatch };
