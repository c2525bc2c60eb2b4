import { z } from "zod";

const Metadata = z.object({
  Networks: z.array(
    z.object({ IPv4Addresses: z.array(z.ipv4()).optional(), IPv6Addresses: z.array(z.ipv6()).optional() }),
  ),
});
const ASK_MS = 5_000;

/**
 * Where other tasks of the deployment reach this one. `told`: said by who runs the task; else the platform's task metadata
 * (container metadata endpoint, version 4) is asked. Rejects when neither knows.
 */
export async function ownAddress(told: string | undefined, metadataUri: string | undefined): Promise<string> {
  if (told !== undefined) return told;
  if (metadataUri === undefined)
    throw new TypeError("expected TASK_ADDRESS or ECS_CONTAINER_METADATA_URI_V4 in the environment");
  const answer = await fetch(metadataUri, { signal: AbortSignal.timeout(ASK_MS) });
  const { Networks } = Metadata.parse(await answer.json());
  const address = Networks.flatMap(({ IPv4Addresses = [], IPv6Addresses = [] }) => [
    ...IPv4Addresses,
    ...IPv6Addresses,
  ])[0];
  if (address === undefined) throw new TypeError("expected the task's metadata to name an address, found none");
  return address;
}

/** `host:port`, an IPv6 host in brackets. */
export const addressText = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** Undefined: no such text. */
export function addressOf(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: Number(port) };
}
