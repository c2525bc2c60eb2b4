import type { Answer } from "../api/client.ts";
import { durationText } from "../figures/duration-text.ts";
import { count } from "../figures/scaled-decimal.ts";

type Control = NonNullable<Answer<"readDrEvent">["phases"][number]["control"]>;

/** What a phase of an event asks of loads. */
export function controlText(control: Control | undefined): string {
  if (control === undefined) return "nothing";
  switch (control.mode) {
    case "off":
      return "off";
    case "cycle":
      return `off for ${durationText(control.offSeconds)} of every ${durationText(control.periodSeconds)}`;
    case "limit":
      return `shed above ${count(control.watts)} W`;
  }
}
