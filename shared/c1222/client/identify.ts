import type { SessionContext } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import type { DeviceProfile } from "../../metering/profile.ts";
import { RESPONSE_CODES } from "../response-code.ts";
import { Exchange } from "./exchange.ts";
import { failureOf } from "./table-reader.ts";

/** What a relay or a module says when the message got no further: no answer of who was asked. */
const PASSED_ON_IN_VAIN: readonly (string | undefined)[] = ["uat", "nett", "netr"];

/**
 * Identification in clear, for a communication module has no key of the meter. An answer of any kind will do: a meter that
 * takes secured messages alone says `sme`. Throws `SessionError` or `LinkError` where nobody answers.
 */
export async function identifyModule(
  context: SessionContext<DeviceProfile>,
  meterTitle: string,
  ownTitle: string,
): Promise<void> {
  const exchange = new Exchange({ context, meterTitle, ownTitle, securityMode: 0, key: undefined });
  const [answer] = await exchange.ask([{ service: "identification" }]);
  if (answer === undefined) throw new SessionError("protocol", "c1222.answers", "expected an answer, got none");
  if (PASSED_ON_IN_VAIN.includes(RESPONSE_CODES[answer.code]?.name)) throw failureOf("identification", answer);
}
