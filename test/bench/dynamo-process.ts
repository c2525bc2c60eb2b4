import { embeddedDynamo } from "../contract/embedded-dynamo.ts";
import { REGISTRY_TABLES } from "../contract/registry-tables.ts";

/** The embedded DynamoDB with enrolment's tables in a process of its own: tells its address, then, when asked, its CPU. */
export type FromDynamo =
  | { readonly kind: "ready"; readonly endpoint: string }
  | { readonly kind: "cpu"; readonly seconds: number };

const send = (message: FromDynamo): void => void process.send?.(message);
const { config } = await embeddedDynamo(REGISTRY_TABLES);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  send({ kind: "cpu", seconds: (user + system) / 1_000_000 });
});
process.on("disconnect", () => process.exit());
send({ kind: "ready", endpoint: String(config.endpoint) });
