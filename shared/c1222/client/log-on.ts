import type { C1222Profile } from "../../metering/c1222-profile.ts";
import type { SessionContext } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import { parseHex } from "../../ports/octets.ts";
import { OK } from "../response-code.ts";
import { USER_OCTETS } from "../services/logon.ts";
import type { Request } from "../services/request.ts";
import { PASSWORD_OCTETS } from "../services/security.ts";
import type { Exchange } from "./exchange.ts";
import { failureOf } from "./table-reader.ts";

const BLANK = 0x20;
type Secrets = Pick<SessionContext, "keys">;

/** The enrolled secret as the Security service has it. */
function passwordOf({ keys }: Secrets): Uint8Array {
  const secret = keys?.llsSecret === undefined ? undefined : parseHex(keys.llsSecret);
  if (secret === undefined || secret.length > PASSWORD_OCTETS)
    throw new SessionError(
      "auth",
      "c1222.password-missing",
      `expected an enrolled secret of at most ${PASSWORD_OCTETS} octets`,
    );
  const password = new Uint8Array(PASSWORD_OCTETS).fill(BLANK);
  password.set(secret);
  return password;
}

/** A password before the services of each message, where the profile names a user. */
export const prefaceOf = (context: Secrets, userId: number | undefined): readonly Request[] =>
  userId === undefined ? [] : [{ service: "security", password: passwordOf(context), userId }];

/** Logs on and proves the user, where the profile has sessions; answers how to log off. */
export async function logOn(
  context: Secrets,
  exchange: Exchange,
  session: C1222Profile["c1222"]["access"]["session"],
): Promise<() => Promise<void>> {
  if (session === undefined) return async () => undefined;
  const { userId, user, idleTimeout } = session;
  const name = new Uint8Array(USER_OCTETS).fill(BLANK);
  name.set(new TextEncoder().encode(user).subarray(0, USER_OCTETS));
  const requests: readonly Request[] = [
    { service: "logon", userId, user: name, idleTimeout },
    { service: "security", password: passwordOf(context), userId: undefined },
  ];
  const answers = await exchange.ask(requests);
  for (const [index, what] of ["logon", "the password"].entries()) {
    const answer = answers[index];
    if (answer?.code === OK) continue;
    throw (
      (answer && failureOf(what, answer)) ??
      new SessionError("auth", "c1222.logon-refused", `the meter refused ${what}`, { detail: { code: answer?.code } })
    );
  }
  return async () => {
    if (!exchange.sound) return;
    try {
      await exchange.ask([{ service: "logoff" }]);
    } catch {
      // The session ends by itself when its idle time has passed.
    }
  };
}
