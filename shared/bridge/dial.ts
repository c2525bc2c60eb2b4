import type { DialRoute } from "../metering/route.ts";
import type { Link } from "../ports/link.ts";

/**
 * Opens a link to an address. Throws `LinkError` `link.unreachable` when there is no connection by `deadline` (clock
 * milliseconds) or the other side refuses.
 */
export type Dial = (route: DialRoute, deadline: number) => Promise<Link>;
