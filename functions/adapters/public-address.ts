import { BlockList, isIP } from "node:net";

/**
 * Addresses that are nobody's on the open internet: this machine, private networks, link-local (and so metadata of clouds),
 * benchmarks, documentation, multicast, reserved. IANA's special-purpose registries (RFC 6890).
 */
const CLOSED = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  CLOSED.addSubnet(network, prefix, "ipv4");
/** Of IPv6 only global unicast is open, but for what wraps an address of version 4 or documents. */
const OPEN6 = new BlockList();
OPEN6.addSubnet("2000::", 3, "ipv6");
const WRAPPED6 = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
] as const)
  WRAPPED6.addSubnet(network, prefix, "ipv6");

/** Whether an address is one of the open internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !CLOSED.check(address, "ipv4");
  return family === 6 && OPEN6.check(address, "ipv6") && !WRAPPED6.check(address, "ipv6");
}
