import type { Answer } from "../api/client.ts";

export type ApiKpis = Answer<"readKpis">;
export type Rate = ApiKpis["communication"][number]["all"];
export type IntervalFigures = Omit<NonNullable<ApiKpis["schedules"][number]["intervals"]>, "asOf">;
type KpiList = "silent" | "failed" | "power-off" | "switch" | "missing-today" | "excluded" | "gaps";

/** What a list is behind: the parameters of `GET /kpis/meters`, in the page's own query. */
export interface Behind {
  readonly list: KpiList;
  readonly window?: string;
  readonly reason?: string;
  readonly position?: string;
  readonly day?: string;
}

/** Never rounded up to 100 %: what is missing shows. */
export const rateText = ({ rate }: Pick<Rate, "rate">): string =>
  rate === null ? "none" : `${(Math.floor(rate * 10_000) / 100).toFixed(2)} %`;

const REASONS_SHOWN = 3;
/** Why intervals are missing, most frequent first. */
export function missingText({ reasons, unaccounted }: Pick<IntervalFigures, "reasons" | "unaccounted">): string {
  const said = Object.entries(reasons).sort(([, left], [, right]) => right - left);
  const shown = said.slice(0, REASONS_SHOWN).map(([reason, of]) => `${reason} ${of}`);
  if (said.length > REASONS_SHOWN) shown.push("…");
  return [...shown, ...(unaccounted === 0 ? [] : [`unaccounted for ${unaccounted}`])].join(", ");
}

export const WINDOW_TEXT: Readonly<Record<string, string>> = { hour: "1 hour", day: "1 day", week: "7 days" };

export const latencyText = (ms: number | undefined): string => {
  if (ms === undefined) return "none";
  return ms < 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms < 120_000
      ? `${Math.round(ms / 1000)} s`
      : `${Math.round(ms / 60_000)} min`;
};

export const behindPath = (behind: Behind): string =>
  `/kpis/meters?${new URLSearchParams(Object.entries(behind) as [string, string][])}`;

const LISTS: readonly KpiList[] = ["silent", "failed", "power-off", "switch", "missing-today", "excluded", "gaps"];

/** Undefined: the query names no list. */
export function behindOf(query: URLSearchParams): Behind | undefined {
  const list = LISTS.find((one) => one === query.get("list"));
  if (list === undefined) return undefined;
  const part = (name: "window" | "reason" | "position" | "day") => {
    const value = query.get(name);
    return value === null ? {} : { [name]: value };
  };
  return { list, ...part("window"), ...part("reason"), ...part("position"), ...part("day") };
}

export function behindText({ list, window = "", reason, position, day }: Behind): string {
  switch (list) {
    case "silent":
      return `Meters not heard of for ${WINDOW_TEXT[window] ?? window}`;
    case "failed":
      return reason === undefined ? "Meters whose last try failed" : `Meters whose last try ended ${reason}`;
    case "power-off":
      return "Meters that reported a power failure";
    case "switch":
      return `Meters whose switch is ${position ?? "known"}`;
    case "missing-today":
      return "Meters with gaps today";
    case "excluded":
      return "Meters in maintenance or found busy";
    case "gaps":
      return `Meters with gaps on ${day ?? ""}`;
  }
}
