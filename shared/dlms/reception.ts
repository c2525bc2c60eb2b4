import type { Reception } from "../metering/driver.ts";
import { conversationWatch } from "./client/conversation-watch.ts";
import { introduce } from "./client/introduction.ts";

/** Meters that call in and speak DLMS/COSEM, over the wrapper or HDLC. */
export const dlmsReception = { protocol: "dlms", introduce, watch: conversationWatch } as const satisfies Reception;
