import type { Deployment } from "./deployment.ts";

/** A bridge as local mode supervises it, and what its health check says. */
export interface BridgeProcess {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly openSlices: number;
  readonly busySessions: number;
  readonly heldConnections: number;
  readonly pipesServed: number;
}

interface Listed {
  readonly bridges: readonly { readonly name: string; readonly pid: number; readonly healthUrl: string }[];
}

/** Those that run and answer. */
export async function bridgesOf(headend: Deployment): Promise<readonly BridgeProcess[]> {
  const { body } = await headend.call<Listed>("operator", "GET", "/local/processes");
  const found = await Promise.all(
    body.bridges.map(async ({ name, pid, healthUrl }) => {
      const answer = await fetch(healthUrl).catch(() => undefined);
      if (answer === undefined) return [];
      return [{ ...((await answer.json()) as Omit<BridgeProcess, "name" | "pid">), name, pid }];
    }),
  );
  return found.flat();
}

/** Invocation counters that a meter saw twice. */
export async function countersUsedTwice(headend: Deployment): Promise<readonly unknown[]> {
  const { body } = await headend.call<{ violations: readonly unknown[] }>("operator", "GET", "/local/witness");
  return body.violations;
}
