import { Arbitrator, ArrayManager, CommunicationPortProtection, FunctionControl } from "./access-control.ts";
import { ActivityCalendar } from "./activity-calendar.ts";
import { AssociationLn, AssociationLnV0, AssociationLnV2, AssociationLnV3 } from "./association-ln.ts";
import { AssociationSn, AssociationSnV1, AssociationSnV2, AssociationSnV3 } from "./association-sn.ts";
import { GprsModemSetup, GsmDiagnostic, GsmDiagnosticV0, LteMonitoring, LteMonitoringV0 } from "./cellular.ts";
import { Clock } from "./clock.ts";
import { CompactData, CompactDataV1 } from "./compact-data.ts";
import { DataObject } from "./data.ts";
import { DataProtection } from "./data-protection.ts";
import { DemandRegister } from "./demand-register.ts";
import { DisconnectControl } from "./disconnect-control.ts";
import { ExtendedRegister } from "./extended-register.ts";
import {
  G3AdaptationLayerSetup,
  G3AdaptationLayerSetupV0,
  G3AdaptationLayerSetupV1,
  G3AdaptationLayerSetupV2,
  G3MacLayerCounters,
  G3MacLayerCountersV0,
  G3MacSetup,
  G3MacSetupV1,
  G3MacSetupV2,
} from "./g3-plc.ts";
import { ImageTransfer } from "./image-transfer.ts";
import type { InterfaceClass } from "./interface-class.ts";
import {
  CoapDiagnostic,
  CoapSetup,
  Ipv4Setup,
  Ipv6Setup,
  MacAddressSetup,
  NtpSetup,
  PppSetup,
  SmtpSetup,
  TcpUdpSetup,
} from "./internet.ts";
import { Limiter } from "./limiter.ts";
import {
  DlmsServerMBusPortSetup,
  MBusClient,
  MBusClientV0,
  MBusDiagnostic,
  MBusMasterPortSetup,
  MBusSlavePortSetup,
  WirelessModeQChannel,
} from "./m-bus.ts";
import { ParameterMonitor, ParameterMonitorV1, RegisterTable, StatusMapping, UtilityTables } from "./monitoring.ts";
import { Account, Charge, Credit, Iec62055Attributes, TokenGateway } from "./prepayment.ts";
import {
  LlcSscsSetup,
  PrimeApplicationIdentification,
  PrimeMacCounters,
  PrimeMacFunctionalParameters,
  PrimeMacNetworkAdministrationData,
  PrimeMacSetup,
  PrimePhysicalLayerCounters,
} from "./prime.ts";
import { ProfileGeneric } from "./profile-generic.ts";
import { PushSetupV0, PushSetupV1, PushSetupV2 } from "./push-setup.ts";
import { Register } from "./register.ts";
import { RegisterActivation } from "./register-activation.ts";
import { RegisterMonitor } from "./register-monitor.ts";
import {
  Iec61334LlcSetup,
  LlcType1Setup,
  LlcType2Setup,
  LlcType3Setup,
  SFskActiveInitiator,
  SFskMacCounters,
  SFskMacSynchronizationTimeouts,
  SFskPhyMacSetup,
  SFskReportingSystemList,
} from "./s-fsk.ts";
import { SapAssignment } from "./sap-assignment.ts";
import { Schedule, SpecialDaysTable } from "./schedule.ts";
import { ScriptTable } from "./script-table.ts";
import { SecuritySetup, SecuritySetupV0 } from "./security-setup.ts";
import {
  AutoAnswer,
  AutoAnswerV0,
  AutoConnect,
  AutoConnectV0,
  AutoConnectV1,
  IecHdlcSetup,
  IecHdlcSetupV0,
  IecLocalPortSetup,
  IecLocalPortSetupV0,
  IecTwistedPairSetup,
  ModemConfiguration,
  ModemConfigurationV0,
} from "./serial-ports.ts";
import { SingleActionSchedule } from "./single-action-schedule.ts";
import {
  ZigbeeNetworkControl,
  ZigbeeSasApsFragmentation,
  ZigbeeSasJoin,
  ZigbeeSasStartup,
  ZigbeeTunnelSetup,
} from "./zigbee.ts";

/** Every interface class described here, by class_id and version. */
export const INTERFACE_CLASSES: readonly InterfaceClass[] = [
  DataObject,
  Register,
  ExtendedRegister,
  DemandRegister,
  RegisterActivation,
  ProfileGeneric,
  Clock,
  ScriptTable,
  Schedule,
  SpecialDaysTable,
  AssociationSnV1,
  AssociationSnV2,
  AssociationSnV3,
  AssociationSn,
  AssociationLnV0,
  AssociationLn,
  AssociationLnV2,
  AssociationLnV3,
  SapAssignment,
  ImageTransfer,
  IecLocalPortSetupV0,
  IecLocalPortSetup,
  ActivityCalendar,
  RegisterMonitor,
  SingleActionSchedule,
  IecHdlcSetupV0,
  IecHdlcSetup,
  IecTwistedPairSetup,
  MBusSlavePortSetup,
  UtilityTables,
  ModemConfigurationV0,
  ModemConfiguration,
  AutoAnswerV0,
  AutoAnswer,
  AutoConnectV0,
  AutoConnectV1,
  AutoConnect,
  DataProtection,
  PushSetupV0,
  PushSetupV1,
  PushSetupV2,
  TcpUdpSetup,
  Ipv4Setup,
  MacAddressSetup,
  PppSetup,
  GprsModemSetup,
  SmtpSetup,
  GsmDiagnosticV0,
  GsmDiagnostic,
  Ipv6Setup,
  SFskPhyMacSetup,
  SFskActiveInitiator,
  SFskMacSynchronizationTimeouts,
  SFskMacCounters,
  Iec61334LlcSetup,
  SFskReportingSystemList,
  LlcType1Setup,
  LlcType2Setup,
  LlcType3Setup,
  RegisterTable,
  CompactData,
  CompactDataV1,
  StatusMapping,
  SecuritySetupV0,
  SecuritySetup,
  ParameterMonitor,
  ParameterMonitorV1,
  Arbitrator,
  DisconnectControl,
  Limiter,
  MBusClientV0,
  MBusClient,
  WirelessModeQChannel,
  MBusMasterPortSetup,
  DlmsServerMBusPortSetup,
  MBusDiagnostic,
  LlcSscsSetup,
  PrimePhysicalLayerCounters,
  PrimeMacSetup,
  PrimeMacFunctionalParameters,
  PrimeMacCounters,
  PrimeMacNetworkAdministrationData,
  PrimeApplicationIdentification,
  G3MacLayerCountersV0,
  G3MacLayerCounters,
  G3MacSetupV1,
  G3MacSetupV2,
  G3MacSetup,
  G3AdaptationLayerSetupV0,
  G3AdaptationLayerSetupV1,
  G3AdaptationLayerSetupV2,
  G3AdaptationLayerSetup,
  NtpSetup,
  ZigbeeSasStartup,
  ZigbeeSasJoin,
  ZigbeeSasApsFragmentation,
  ZigbeeNetworkControl,
  ZigbeeTunnelSetup,
  Account,
  Credit,
  Charge,
  TokenGateway,
  Iec62055Attributes,
  FunctionControl,
  ArrayManager,
  CommunicationPortProtection,
  LteMonitoringV0,
  LteMonitoring,
  CoapSetup,
  CoapDiagnostic,
];

const byId = new Map<number, readonly InterfaceClass[]>();
for (const each of INTERFACE_CLASSES) byId.set(each.classId, [...(byId.get(each.classId) ?? []), each]);

/** The class in exactly this version; undefined: not described here, though another version may be. */
export const interfaceClassOf = (classId: number, version: number): InterfaceClass | undefined =>
  byId.get(classId)?.find((each) => each.version === version);

/** The standard's name of a class, whatever its version. */
export const interfaceClassName = (classId: number): string | undefined => byId.get(classId)?.[0]?.name;
