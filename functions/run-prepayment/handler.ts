import { z } from "zod";
import { runPrepayment } from "../../shared/prepayment/run-prepayment.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { prepaymentPorts } from "../adapters/prepayment-ports.ts";
import { productClock } from "../adapters/system-clock.ts";

const ports = prepaymentPorts();

/** Once a minute: charges the accounts whose turn it is, warns, and orders switches by their credit. A double tick is harmless. */
export const handler = eventHandler(z.object({}), async () => {
  const { failed, ...facts } = await runPrepayment(ports, productClock.now());
  if (facts.settled + facts.pursued === 0) return undefined;
  return { ...facts, ...(failed.length === 0 ? {} : { failed: failed.slice(0, 10) }) };
});
