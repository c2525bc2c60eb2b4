import type { C1222Profile } from "../../shared/metering/c1222-profile.ts";
import type { DlmsProfile } from "../../shared/metering/profile.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import { isDlms, type SimulatedKeys, type SimulatedMeterPlan } from "../../shared/simulator/population.ts";

/** All that one needs to know to read a simulated meter. */
interface Listed {
  readonly meterId: string;
  readonly serial: string;
  readonly commodity: "electric" | "gas" | "water";
  readonly profile: string;
  readonly transport: "tcp";
  readonly host: string;
  readonly port: number;
  /** As enrolled; a meter with the fault `wrong-key` holds others. Hex. */
  readonly keys: SimulatedKeys;
  readonly fault?: FaultKind;
  /** It calls in by itself; nobody listens at its address. */
  readonly attached?: true;
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
}

export type TownMeter = DlmsTownMeter | C1222TownMeter;

/** The title under which it is enrolled. */
export const titleOf = (meter: TownMeter): string => (meter.protocol === "dlms" ? meter.systemTitle : meter.apTitle);

/** A meter of the town at its address. */
export function listed(
  plan: SimulatedMeterPlan,
  { host, port }: { readonly host: string; readonly port: number },
  attached: boolean,
): TownMeter {
  const common = {
    meterId: plan.meterId,
    serial: plan.serial,
    commodity: plan.profile.commodity,
    profile: plan.profile.name,
    transport: "tcp" as const,
    host,
    port,
  };
  const rest = {
    keys: plan.enrolled,
    ...(plan.fault && { fault: plan.fault }),
    ...(attached && { attached: true as const }),
  };
  if (!isDlms(plan)) {
    const { callingApTitle, security, keyId } = plan.profile.c1222.access;
    const authentication = security === "clear" ? "none" : "eax-prime";
    const { apTitle } = plan;
    return { ...common, protocol: "c1222", apTitle, callingApTitle, authentication, security, keyId, ...rest };
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
        ];
  const parts = [
    meter.meterId,
    `${meter.protocol} ${meter.host}:${meter.port}`,
    meter.profile,
    ...named,
    ...(unicast === undefined ? [] : [`unicast key ${unicast}`]),
    ...(authentication === undefined ? [] : [`authentication key ${authentication}`]),
    ...(llsSecret === undefined ? [] : [`secret ${llsSecret}`]),
    ...(meter.attached === true ? ["calls in"] : []),
    ...(meter.fault === undefined ? [] : [`fault ${meter.fault}`]),
  ];
  return parts.join("  ");
}
