import type { ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";

export type FixtureMeter = ResponseReceived<Routes["listMeters"]>["meters"][number];
export const PERIOD_S = 900;

export const meterAt = (index: number): FixtureMeter => ({
  meterId: `M-${String(index + 1).padStart(6, "0")}`,
  state: index % 97 === 13 ? "retired" : "enrolled",
  commodity: "electric",
  serial: `SN${String(70_000_000 + index * 37)}`,
  profile: { name: "generic-eu", version: 1 },
  systemTitle: `48445200${index.toString(16).padStart(8, "0")}`,
  routes: [{ kind: "dial", host: `127.1.${index >> 8}.${index & 255}`, port: 4059, transport: "tcp" }],
  memberships: {
    groups: ["residential"],
    feeder: `feeder-${(index % 7) + 1}`,
    transformer: `T-${String(index % 61).padStart(3, "0")}`,
  },
  location: { latitude: 47.3 + (index % 100) / 1000, longitude: 8.5 + Math.floor(index / 100) / 1000 },
  segment: index >> 10,
  slot: index & 1023,
  secured: true,
});

/** Wh in the interval that ends at `end` (s): a morning and an evening, never twice the same. */
export const loadAt = (end: number, index: number): number => {
  const hour = (end / 3600) % 24;
  const bump = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2));
  return Math.round(40 + 260 * bump(7.5, 1.4) + 420 * bump(19, 2.2) + (((end / PERIOD_S) * 7919 + index * 131) % 37));
};
