import {
  AdminListGroupsForUserCommand,
  CognitoIdentityProviderClient,
  UserNotFoundException,
} from "@aws-sdk/client-cognito-identity-provider";
import type { People } from "../../shared/jobs/people.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { Setting, settings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";

/** What was answered counts for so long, ms: a planner that goes through many jobs asks once for each person. */
const KEPT_MS = 30_000;
const KEPT_MAX = 1_000;

/** People of a user pool, with the groups that they are in. Throws what the SDK throws where the pool does not answer. */
export function cognitoPeople(
  client: Pick<CognitoIdentityProviderClient, "send">,
  UserPoolId: string,
  clock: Pick<Clock, "now">,
): People {
  const kept = new Map<string, { readonly at: number; readonly roles: readonly string[] }>();
  const groupsOf = async (Username: string): Promise<readonly string[]> => {
    const groups: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(
        new AdminListGroupsForUserCommand({ UserPoolId, Username, ...(NextToken === undefined ? {} : { NextToken }) }),
      );
      groups.push(...(page.Groups ?? []).flatMap(({ GroupName }) => GroupName ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return groups;
  };
  return {
    async rolesOf(name) {
      const known = kept.get(name);
      if (known !== undefined && clock.now() - known.at < KEPT_MS) return known.roles;
      const roles = await groupsOf(name).catch((error: unknown) => {
        if (error instanceof UserNotFoundException) return [];
        throw error;
      });
      if (kept.size >= KEPT_MAX) kept.clear();
      kept.set(name, { at: clock.now(), roles });
      return roles;
    },
  };
}

/** The deployment's own, as the environment names it. */
export const peopleOfEnvironment = (): People =>
  cognitoPeople(new CognitoIdentityProviderClient({}), settings({ USER_POOL_ID: Setting }).USER_POOL_ID, systemClock);
