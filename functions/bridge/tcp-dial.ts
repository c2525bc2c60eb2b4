import { connect } from "node:net";
import type { Dial } from "../../shared/bridge/dial.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { tcpLink } from "./tcp-link.ts";

/** Errors that say something about this machine, not about the meter. */
const OURS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "EADDRNOTAVAIL", "EACCES", "EPERM"]);

export const isOurFault = (code: string): boolean => OURS.has(code);

/** Dials over TCP, IPv4 and IPv6. */
export const tcpDial =
  (clock: Pick<Clock, "now">): Dial =>
  ({ host, port }, deadline) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const limit = setTimeout(() => fail("ETIMEDOUT"), Math.max(0, deadline - clock.now()));
      const fail = (code: string): void => {
        clearTimeout(limit);
        socket.destroy();
        const detail = { host, port, code };
        reject(
          isOurFault(code)
            ? new HeadraceError("bridge.no-socket", `no socket for a connection: ${code}`, { retry: "later", detail })
            : new LinkError("link.unreachable", `no connection to ${host}, port ${port}: ${code}`, { detail }),
        );
      };
      const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.name);
      socket.once("error", onError);
      socket.once("connect", () => {
        clearTimeout(limit);
        const link = tcpLink(socket, clock);
        socket.off("error", onError);
        resolve(link);
      });
    });
