import type { CounterMemory } from "../dlms/server/logical-device.ts";
import { CounterWitness } from "./counter-witness.ts";

/**
 * Counters under the key in force. An association goes on under the key that it began with, and its counters with it:
 * when the key is replaced they part from the witness, which begins anew.
 */
export function countersByKey(witness: CounterWitness): {
  readonly memory: () => CounterMemory;
  readonly renew: () => void;
} {
  let view: { target: CounterMemory } = { target: witness };
  const over = (of: { target: CounterMemory }): CounterMemory => ({
    lastAccepted: () => of.target.lastAccepted(),
    accepted: (counter) => of.target.accepted(counter),
    refused: (counter) => of.target.refused(counter),
    nextOwn: () => witness.nextOwn(), // rises whatever the key
  });
  return {
    memory: () => over(view),
    renew: () => {
      view.target = new CounterWitness(witness.state);
      view = { target: witness };
      witness.rekeyed();
    },
  };
}
