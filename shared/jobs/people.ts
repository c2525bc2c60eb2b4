import type { Job } from "./job.ts";
import { ORDER_ROLES } from "./orders.ts";

/** Who holds which role now. Throws where the deployment's directory does not answer. */
export interface People {
  /** By the name in their tokens; none: there is no such person any more. */
  rolesOf(name: string): Promise<readonly string[]>;
}

/** Who may approve. */
export const APPROVER_ROLES: readonly string[] = ["supervisor"];

/** What has become of the people behind an approved job: `doubt`: the directory does not answer. */
export type Standing = { readonly kind: "stands" | "doubt" } | { readonly kind: "gone"; readonly because: string };

/**
 * Whether whoever asked for a job and whoever approved it are still in their roles. Machines have no name, and lose theirs
 * with their client.
 */
export async function standingOf(
  people: People | undefined,
  { caller, approvals = [] }: Pick<Job, "caller" | "approvals">,
): Promise<Standing> {
  if (people === undefined) return { kind: "doubt" };
  const wanted = [
    { who: "asked for it", name: caller.name, roles: ORDER_ROLES },
    ...approvals.map(({ by }) => ({ who: "approved it", name: by.name, roles: APPROVER_ROLES })),
  ];
  try {
    for (const { who, name, roles } of wanted) {
      if (name === undefined) continue;
      const held = await people.rolesOf(name);
      if (!held.some((role) => roles.includes(role)))
        return { kind: "gone", because: `${name}, who ${who}, is no ${roles.join(" or ")} any more` };
    }
  } catch {
    return { kind: "doubt" }; // it is asked again; until then nothing is operated
  }
  return { kind: "stands" };
}
