import type { DlmsLoadControl } from "../dlms-equipment.ts";

/**
 * A load management relay on an output of the meter. That outputs are moved by script table 103 is named in public lists;
 * which codes a model gives relay, schedules and limiter is not (docs/standards.md).
 */
export const LOAD_RELAY: DlmsLoadControl = {
  relay: "0.1.96.3.10.255",
  scriptTable: "0.0.10.0.103.255",
  scripts: { off: 1, on: 2 },
  schedules: { off: "0.0.15.0.3.255", on: "0.1.15.0.3.255" },
  limiter: "0.1.17.0.0.255",
  evidence: "unverified",
};
