import type { Queue } from "./sqs.ts";

type Stored = Queue["messages"][number];

/**
 * A standard queue as SQS keeps it fair: of messages that were sent with a group (`MessageGroupId`), those of groups with
 * few messages in flight are received first, so that one group's backlog keeps no other group waiting. The queues'
 * engine itself drops the group of a standard queue; it is kept here from the request to the store.
 */
export class FairQueues {
  readonly #announced = new Map<Queue, Map<string, string>>();

  #keep(queue: Queue): Map<string, string> {
    const announced = new Map<string, string>();
    this.#announced.set(queue, announced);
    const [enqueue, dequeue] = [queue.enqueue.bind(queue), queue.dequeue.bind(queue)];
    queue.enqueue = (message) => {
      const group = announced.get(message.body);
      announced.delete(message.body);
      enqueue(group === undefined ? message : Object.assign(message, { messageGroupId: group }));
    };
    queue.dequeue = (most, ...rest) => {
      queue.processTimers();
      putQuietFirst(queue, Math.min(most, 10));
      return dequeue(most, ...rest);
    };
    return announced;
  }

  /** Called for a request that sends, before the engine handles it. */
  announce(queue: Queue | undefined, body: Readonly<Record<string, unknown>>): void {
    if (queue === undefined || queue.isFifo()) return;
    for (const entry of Array.isArray(body.Entries) ? body.Entries : [body]) {
      const { MessageBody, MessageGroupId } = entry as Readonly<Record<string, unknown>>;
      if (typeof MessageBody !== "string" || typeof MessageGroupId !== "string") continue;
      (this.#announced.get(queue) ?? this.#keep(queue)).set(MessageBody, MessageGroupId);
    }
  }
}

/** Moves the next messages to the front: each time of the group that has the fewest in flight, and of that the oldest. */
function putQuietFirst(queue: Queue, most: number): void {
  const waiting = new Map<string, { readonly first: number; readonly messages: Stored[] }>();
  for (const [first, message] of queue.messages.entries()) {
    const group = message.messageGroupId ?? "";
    const entry = waiting.get(group);
    if (entry === undefined) waiting.set(group, { first, messages: [message] });
    else if (entry.messages.length < most) entry.messages.push(message);
  }
  if (waiting.size < 2) return;
  const inFlight = new Map<string, number>();
  for (const { message } of queue.inflightMessages.values()) {
    const group = message.messageGroupId ?? "";
    inFlight.set(group, (inFlight.get(group) ?? 0) + 1);
  }
  const chosen: Stored[] = [];
  while (chosen.length < most && waiting.size > 0) {
    const [group, { messages }] = [...waiting].reduce((left, right) => {
      const [has, other] = [inFlight.get(left[0]) ?? 0, inFlight.get(right[0]) ?? 0];
      return other < has || (other === has && right[1].first < left[1].first) ? right : left;
    });
    const next = messages.shift();
    if (next !== undefined) chosen.push(next);
    if (messages.length === 0) waiting.delete(group);
    inFlight.set(group, (inFlight.get(group) ?? 0) + 1);
  }
  const front = new Set(chosen);
  queue.messages = [...chosen, ...queue.messages.filter((message) => !front.has(message))];
}
