import type { Answer } from "../api/client.ts";
import { Badge, type Shape, type Tone } from "../figures/badge.tsx";

export type ApiOutage = Answer<"listOutages">["outages"][number];

const STATES: Readonly<Record<ApiOutage["state"], readonly [Tone, Shape, string]>> = {
  suspected: ["warn", "clock", "suspected: neighbours are being asked"],
  confirmed: ["bad", "alert", "confirmed"],
  restoring: ["warn", "arrow", "being restored: the others are being asked"],
  restored: ["good", "tick", "restored"],
  withdrawn: ["quiet", "dash", "withdrawn: answers speak against it"],
  merged: ["quiet", "dash", "part of a larger one"],
};

export function OutageState({ state }: Pick<ApiOutage, "state">) {
  const [tone, shape, text] = STATES[state];
  return <Badge tone={tone} shape={shape} text={text} />;
}

/** What is out, as the control room calls it. */
export const deviceText = ({ kind, node, feeder }: Pick<ApiOutage, "kind" | "node" | "feeder">): string =>
  kind === "service" ? `service of ${node}, feeder ${feeder}` : `${kind} ${node}, feeder ${feeder}`;
