import { interfaceClass } from "./interface-class.ts";
import {
  any,
  arrayOf,
  boolean,
  dateTime,
  doubleLongUnsigned,
  enumeration,
  integer,
  longUnsigned,
  obis,
  octets,
  structure,
  unsigned,
} from "./shape.ts";

/** TCP-UDP setup, class_id 41, version 0. */
export const TcpUdpSetup = interfaceClass(
  "TCP-UDP setup",
  41,
  0,
  {
    tcpUdpPort: longUnsigned,
    ipReference: obis,
    maximumSegmentSize: longUnsigned,
    numberOfSimultaneousConnections: unsigned,
    /** Seconds; 0: none. */
    inactivityTimeOut: longUnsigned,
  },
  {},
);

/** IPv4 setup, class_id 42, version 0. Addresses are numbers, first octet highest. */
export const Ipv4Setup = interfaceClass(
  "IPv4 setup",
  42,
  0,
  {
    dlReference: obis,
    ipAddress: doubleLongUnsigned,
    multicastIpAddress: arrayOf(doubleLongUnsigned),
    ipOptions: arrayOf(structure({ ipOptionType: unsigned, ipOptionLength: unsigned, ipOptionData: octets })),
    subnetMask: doubleLongUnsigned,
    gatewayIpAddress: doubleLongUnsigned,
    useDhcpFlag: boolean,
    primaryDnsAddress: doubleLongUnsigned,
    secondaryDnsAddress: doubleLongUnsigned,
  },
  { addMcIpAddress: doubleLongUnsigned, deleteMcIpAddress: doubleLongUnsigned, getNbofMcIpAddresses: integer },
  0x60,
);

/** MAC address setup, class_id 43, version 0. */
export const MacAddressSetup = interfaceClass("MAC address setup", 43, 0, { macAddress: octets }, {});

const pppOption = structure({ optionType: unsigned, optionLength: unsigned, optionData: any });
/** PPP setup, class_id 44, version 0. */
export const PppSetup = interfaceClass(
  "PPP setup",
  44,
  0,
  {
    phyReference: obis,
    lcpOptions: arrayOf(pppOption),
    ipcpOptions: arrayOf(pppOption),
    /** Null-data where no authentication is used; else {user_name, password} or as the protocol has it. */
    pppAuthentication: any,
  },
  {},
);

/** SMTP setup, class_id 46, version 0. */
export const SmtpSetup = interfaceClass(
  "SMTP setup",
  46,
  0,
  { serverPort: longUnsigned, userName: octets, loginPassword: octets, serverAddress: octets, senderAddress: octets },
  {},
);

const ipv6Change = structure({
  addressType: enumeration({ unicast: 0, multicast: 1, gateway: 2 }),
  address: octets,
});
/** IPv6 setup, class_id 48, version 0. Addresses are 16 octets. */
export const Ipv6Setup = interfaceClass(
  "IPv6 setup",
  48,
  0,
  {
    dlReference: obis,
    addressConfigMode: enumeration({ "auto-configuration": 0, dhcpv6: 1, manual: 2, "neighbour-discovery": 3 }),
    unicastIpv6Addresses: arrayOf(octets),
    multicastIpv6Addresses: arrayOf(octets),
    gatewayIpv6Addresses: arrayOf(octets),
    primaryDnsAddress: octets,
    secondaryDnsAddress: octets,
    trafficClass: unsigned,
    neighborDiscoverySetup: arrayOf(
      structure({ rsMaxRetry: unsigned, rsRetryWaitTime: longUnsigned, raSendPeriod: doubleLongUnsigned }),
    ),
  },
  { addIpv6Address: ipv6Change, removeIpv6Address: ipv6Change },
  0x60,
);

const authenticationKey = structure({ keyId: doubleLongUnsigned, key: octets });
/** NTP setup, class_id 100, version 0. */
export const NtpSetup = interfaceClass(
  "NTP setup",
  100,
  0,
  {
    activated: boolean,
    serverAddress: octets,
    serverPort: longUnsigned,
    authenticationMethod: enumeration({ "no-security": 0, "shared-secrets": 1, "ff-autokey": 2 }),
    authenticationKeys: arrayOf(authenticationKey),
    clientKey: octets,
  },
  { synchronize: integer, addAuthenticationKey: authenticationKey, deleteAuthenticationKey: doubleLongUnsigned },
);

/** CoAP setup, class_id 152, version 0. */
export const CoapSetup = interfaceClass(
  "CoAP setup",
  152,
  0,
  {
    udpReference: obis,
    ackTimeout: longUnsigned,
    ackRandomFactor: longUnsigned,
    maxRetransmit: longUnsigned,
    nstart: longUnsigned,
    delayAckTimeout: longUnsigned,
    exponentialBackOff: longUnsigned,
    probingRate: longUnsigned,
    coapUriPath: octets,
    transportMode: enumeration({ reliable: 1, unreliable: 2, "reliable-and-unreliable": 3 }),
    version: any,
    tokenLength: unsigned,
  },
  {},
);

/** CoAP diagnostic, class_id 153, version 0. */
export const CoapDiagnostic = interfaceClass(
  "CoAP diagnostic",
  153,
  0,
  {
    messagesCounter: structure({
      tx: doubleLongUnsigned,
      rx: doubleLongUnsigned,
      txResend: doubleLongUnsigned,
      txReset: doubleLongUnsigned,
      rxReset: doubleLongUnsigned,
      txAck: doubleLongUnsigned,
      rxAck: doubleLongUnsigned,
      rxDrop: doubleLongUnsigned,
      txNonPiggybacked: doubleLongUnsigned,
      maxRtxExceeded: doubleLongUnsigned,
    }),
    requestResponseCounter: structure({
      rxRequests: doubleLongUnsigned,
      txRequests: doubleLongUnsigned,
      rxResponse: doubleLongUnsigned,
      txResponse: doubleLongUnsigned,
      txClientError: doubleLongUnsigned,
      rxClientError: doubleLongUnsigned,
      txServerError: doubleLongUnsigned,
      rxServerError: doubleLongUnsigned,
    }),
    coapBtCounter: structure({
      blockWiseTransferStarted: doubleLongUnsigned,
      blockWiseTransferCompleted: doubleLongUnsigned,
      blockWiseTransferTimeout: doubleLongUnsigned,
    }),
    captureTime: structure({ attributeId: unsigned, timestamp: dateTime }),
  },
  { reset: integer },
);
