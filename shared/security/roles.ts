import { z } from "zod";

/** What a person or a machine client may do; a caller may have several. */
export const ROLES = ["operator", "supervisor", "analyst", "administrator", "subscriber"] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

/** What each role is for, as it is told to people. */
export const ROLE_PURPOSES: Readonly<Record<Role, string>> = {
  operator: "reads meters and gives commands",
  supervisor: "approves, sets guards, stops in an emergency",
  analyst: "reads, plans schedules, queries, exports",
  administrator: "enrols meters, keeps keys and users",
  subscriber: "an upstream system with scopes of its own",
};

export const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name);

/** True when one of the roles that the caller has is one of those that a thing asks for. */
export const mayAct = (has: readonly string[], asked: readonly Role[]): boolean =>
  has.some((role) => isRole(role) && asked.includes(role));
