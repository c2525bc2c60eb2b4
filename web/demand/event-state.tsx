import type { Answer } from "../api/client.ts";
import { Badge, type Shape, type Tone } from "../figures/badge.tsx";

export type ApiEvent = Answer<"listDrEvents">["events"][number];

const STATES: Readonly<Record<ApiEvent["state"], readonly [Tone, Shape]>> = {
  planned: ["calm", "clock"],
  active: ["warn", "arrow"],
  ended: ["calm", "ring"],
  measured: ["good", "tick"],
  cancelled: ["quiet", "dash"],
};

export function EventState({ state }: Pick<ApiEvent, "state">) {
  const [tone, shape] = STATES[state];
  return <Badge tone={tone} shape={shape} text={state} />;
}

export const eventName = ({ name, eventId }: Pick<ApiEvent, "name" | "eventId">): string => name ?? eventId;
