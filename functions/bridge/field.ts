import { type AttachedDial, attachedDial } from "../../shared/bridge/attached-dial.ts";
import { type C1222GatePorts, c1222Gate } from "../../shared/bridge/c1222-gate.ts";
import { dlmsPushes } from "../../shared/bridge/dlms-pushes.ts";
import { PUSH_LIMITS } from "../../shared/bridge/push-limits.ts";
import { pushTap } from "../../shared/bridge/push-tap.ts";
import { receptionDesk } from "../../shared/bridge/reception.ts";
import { RECEPTION_LIMITS } from "../../shared/bridge/reception-limits.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { dlmsReception } from "../../shared/dlms/reception.ts";
import type { MeterId } from "../../shared/metering/meter.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { openC1222Port } from "./c1222-port.ts";
import { openDlmsDatagrams } from "./dlms-datagrams.ts";
import { openDlmsPort } from "./dlms-port.ts";
import { addressText } from "./own-address.ts";
import { type PipeSocketPorts, pipeDial, servePipes } from "./pipe-socket.ts";
import { tcpDial } from "./tcp-dial.ts";

/** The side of the bridge to which meters come by themselves. */
export interface Field {
  /** The ports that were opened. */
  readonly ports: { readonly dlms: number | undefined; readonly c1222: number | undefined };
  readonly dial: AttachedDial;
  readonly held: number;
  /** Byte pipes that other tasks have had. */
  readonly pipesServed: number;
  /** A whole C12.22 message that nobody has asked for, over a connection that the headend opened. */
  hear(apdu: Uint8Array): void;
  /** What arrived since the last time this was asked, by protocol: held, and refused by code. */
  arrivals(): Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Nobody is let in any more; who is here is sent away, those in a conversation when it is over. */
  drain(graceMs: number): Promise<void>;
}

export interface FieldPorts extends Omit<C1222GatePorts, "address" | "driver" | "ownTitles"> {
  readonly secret: () => Promise<Uint8Array>;
  /** False: another Region is the active one, or this task's clock is wrong. */
  readonly mayReceive: () => boolean;
  /** Of a meter in whose name something came that it has not proved to be its own. */
  readonly onHint: (meterId: MeterId) => void;
}

export interface FieldSettings {
  /** TCP and UDP port for meters that speak DLMS; 0: any free one; undefined: none calls in. */
  readonly dlmsPort: number | undefined;
  /** TCP and UDP port for C12.22 nodes; 0: any free one; undefined: none comes by itself. */
  readonly c1222Port: number | undefined;
  /** The headend's own ApTitle. */
  readonly apTitle: string;
  /** TCP port for byte pipes; 0: any free one. */
  readonly pipePort: number;
  /** Of this task, as other tasks reach it. */
  readonly host: string;
  /** Where to listen; undefined: on every address. */
  readonly listenHost: string | undefined;
  /** Of each protocol. */
  readonly connectionsMax: number;
}

/** Opens the listeners for meters and for other tasks. */
export async function openField(ports: FieldPorts, settings: FieldSettings): Promise<Field> {
  const { sessionClock: clock, crypto, secret, mayReceive } = ports;
  const { listenHost, connectionsMax, dlmsPort, c1222Port } = settings;
  let desks: readonly { readonly find: PipeSocketPorts["find"] }[] = [];
  const find: PipeSocketPorts["find"] = (connection) => desks.map((desk) => desk.find(connection)).find(Boolean);
  const pipes = await servePipes({ clock, crypto, secret, find }, listenHost, settings.pipePort);
  const own = { ...ports, address: addressText(settings.host, pipes.port) };
  const limits = { ...RECEPTION_LIMITS, connections: connectionsMax };
  const meters = receptionDesk({ ...own, reception: dlmsReception, driver: dlmsDriver }, limits);
  const nodes = c1222Gate({ ...own, driver: c1222Driver, ownTitles: [settings.apTitle] }, limits);
  desks = [meters, nodes];
  const pushes = dlmsPushes(ports, PUSH_LIMITS);
  const tap = pushTap(pushes, clock);
  const dlms =
    dlmsPort === undefined
      ? undefined
      : await openDlmsPort(meters, tap, clock, { port: dlmsPort, host: listenHost, connectionsMax }, mayReceive);
  const datagrams =
    dlms === undefined
      ? undefined
      : await openDlmsDatagrams(pushes, ports, { port: dlms.port, host: listenHost ?? "::" }, mayReceive);
  const c1222 =
    c1222Port === undefined
      ? undefined
      : await openC1222Port(nodes, clock, { port: c1222Port, host: listenHost ?? "::", connectionsMax }, mayReceive);

  return {
    ports: { dlms: dlms?.port, c1222: c1222?.port },
    dial: attachedDial({
      access: ports.access,
      clock,
      task: ports.task,
      find,
      pipe: pipeDial({ crypto, secret }, tcpDial(clock)),
      dial: ports.dial,
    }),
    get held() {
      return meters.held + nodes.held;
    },
    get pipesServed() {
      return pipes.served;
    },
    hear: (apdu) => void nodes.receive(apdu, undefined),
    arrivals() {
      const told = { dlms: dlms?.arrivals(), pushes: pushes.counts(), c1222: nodes.counts() };
      const some = Object.entries(told).flatMap(([name, counts]) => (counts === undefined ? [] : [[name, counts]]));
      return some.length === 0 ? undefined : Object.fromEntries(some);
    },
    async drain(graceMs) {
      dlms?.stopListening();
      c1222?.stopListening();
      await Promise.all([meters.drain(graceMs), nodes.drain(graceMs)]);
      await c1222?.close();
      datagrams?.close();
      pipes.close();
    },
  };
}

/** Looks the secret up when it is first needed, and again while there is none. */
export function keptSecret(open: () => Promise<Uint8Array | undefined>): () => Promise<Uint8Array> {
  let kept: Promise<Uint8Array> | undefined;
  return () => {
    kept ??= open()
      .then((secret) => {
        if (secret !== undefined) return secret;
        throw new HeadraceError("pipe.no-secret", "the deployment has no secret of its own yet", { retry: "later" });
      })
      .catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
    return kept;
  };
}
