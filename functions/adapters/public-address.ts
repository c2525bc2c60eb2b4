import { BlockList, isIP } from "node:net";

/** Apart: a list takes addresses of version 4 for mapped ones of version 6 as well. */
const RESERVED = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  RESERVED.ipv4.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  RESERVED.ipv6.addSubnet(network, prefix, "ipv6");

/** Whether an address is one of the internet at large: not of this machine, its network or a reserved block. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const version = family === 4 ? "ipv4" : "ipv6";
  return !RESERVED[version].check(address, version);
}
