import type { C1222Profile } from "../../shared/metering/c1222-profile.ts";
import type { DlmsProfile } from "../../shared/metering/profile.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import {
  isDlms,
  relayTitle,
  type SimulatedGroup,
  type SimulatedKeys,
  type SimulatedMeterPlan,
} from "../../shared/simulator/population.ts";
import type { Addressing } from "./town-addresses.ts";

/** All that one needs to know to read a simulated meter. */
interface Listed {
  readonly meterId: string;
  readonly serial: string;
  readonly commodity: "electric" | "gas" | "water";
  readonly profile: string;
  readonly transport: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
  /** As enrolled; a meter with the fault `wrong-key` holds others. Hex. */
  readonly keys: SimulatedKeys;
  readonly fault?: FaultKind;
  /** It calls in by itself; nobody listens at its address. */
  readonly attached?: true;
  /** It sleeps: its name at the MQTT broker; nobody listens at its address. */
  readonly thing?: string;
}

export interface DlmsTownMeter extends Listed {
  readonly protocol: "dlms";
  readonly clientSap: number;
  readonly serverSap: number;
  /** Hex, as is the other title. */
  readonly systemTitle: string;
  readonly clientSystemTitle: string;
  readonly authentication: DlmsProfile["dlms"]["access"]["authentication"];
  readonly ciphering: DlmsProfile["dlms"]["access"]["ciphering"];
  readonly securitySuite: number;
}

export interface C1222TownMeter extends Listed {
  readonly protocol: "c1222";
  readonly apTitle: string;
  /** The headend's. */
  readonly callingApTitle: string;
  readonly authentication: "none" | "eax-prime";
  readonly security: C1222Profile["c1222"]["access"]["security"];
  /** Which of the meter's keys the unicast key is. */
  readonly keyId: number;
  /** Title of the cell relay in whose branch it is; the address is then the relay's. */
  readonly relay?: string;
  /** Groups that it is a member of. */
  readonly groups?: readonly SimulatedGroup[];
}

export type TownMeter = DlmsTownMeter | C1222TownMeter;

/** The title under which it is enrolled. */
export const titleOf = (meter: TownMeter): string => (meter.protocol === "dlms" ? meter.systemTitle : meter.apTitle);

/** A meter of the town at its address. */
export function listed(plan: SimulatedMeterPlan, seed: number, addressing: Addressing, attached: boolean): TownMeter {
  const { way } = plan;
  const { host, port } = way?.kind === "relay" ? addressing.relay(way.relay) : addressing.meter(plan);
  const common = {
    meterId: plan.meterId,
    serial: plan.serial,
    commodity: plan.profile.commodity,
    profile: plan.profile.name,
    transport: way?.kind === "udp" && !attached ? ("udp" as const) : ("tcp" as const),
    host,
    port,
  };
  const rest = {
    keys: plan.enrolled,
    ...(plan.fault && { fault: plan.fault }),
    ...(attached && { attached: true as const }),
    ...(way?.kind === "sleepy" && { thing: plan.meterId }),
  };
  if (!isDlms(plan)) {
    const { callingApTitle, security, keyId } = plan.profile.c1222.access;
    const authentication = security === "clear" ? "none" : "eax-prime";
    const { apTitle, groups } = plan;
    const reached = {
      ...(way?.kind === "relay" && { relay: relayTitle(seed, way.relay) }),
      ...(groups && { groups }),
    };
    const secured = { authentication, security, keyId } as const;
    return { ...common, protocol: "c1222", apTitle, callingApTitle, ...secured, ...reached, ...rest };
  }
  const { access } = plan.profile.dlms;
  return {
    ...common,
    protocol: "dlms",
    clientSap: access.clientSap,
    serverSap: access.serverSap,
    systemTitle: plan.systemTitle,
    clientSystemTitle: plan.clientSystemTitle,
    authentication: access.authentication,
    ciphering: access.ciphering,
    securitySuite: access.securitySuite,
    ...rest,
  };
}

/** One line for people. */
export function lineOf(meter: TownMeter): string {
  const { unicast, authentication, llsSecret } = meter.keys;
  const named =
    meter.protocol === "dlms"
      ? [
          `client SAP ${meter.clientSap}`,
          `server SAP ${meter.serverSap}`,
          `title ${meter.systemTitle}`,
          `client title ${meter.clientSystemTitle}`,
          `authentication ${meter.authentication}`,
          `ciphering ${meter.ciphering}`,
        ]
      : [
          `ApTitle ${meter.apTitle}`,
          `calling ApTitle ${meter.callingApTitle}`,
          `authentication ${meter.authentication}`,
          `security ${meter.security}`,
          `key id ${meter.keyId}`,
          ...(meter.relay === undefined ? [] : [`relay ${meter.relay}`]),
          ...(meter.groups ?? []).map(({ title, keyId, key }) => `group ${title} key ${keyId}:${key}`),
        ];
  const parts = [
    meter.meterId,
    `${meter.protocol} ${meter.transport} ${meter.host}:${meter.port}`,
    meter.profile,
    ...named,
    ...(unicast === undefined ? [] : [`unicast key ${unicast}`]),
    ...(authentication === undefined ? [] : [`authentication key ${authentication}`]),
    ...(llsSecret === undefined ? [] : [`secret ${llsSecret}`]),
    ...(meter.attached === true ? ["calls in"] : []),
    ...(meter.thing === undefined ? [] : [`sleeps as ${meter.thing}`]),
    ...(meter.fault === undefined ? [] : [`fault ${meter.fault}`]),
  ];
  return parts.join("  ");
}
