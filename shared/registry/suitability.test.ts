import { describe, expect, it } from "vitest";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { EnrolmentRequest } from "./registered-meter.ts";
import { unsuitable } from "./suitability.ts";

const KEY = "000102030405060708090a0b0c0d0e0f";
const profileOf = (name: string) => {
  const profile = PROFILES.get(name);
  if (profile === undefined) throw new Error(`the catalogue has ${name}`);
  return profile;
};
const request = (part: Partial<Record<keyof EnrolmentRequest, unknown>>): EnrolmentRequest =>
  ({
    commodity: "electric",
    routes: [{ kind: "dial", host: "192.0.2.1", port: 1153, transport: "tcp" }],
    memberships: { groups: [] },
    keys: { unicast: KEY, authentication: KEY },
    ...part,
  }) as unknown as EnrolmentRequest;

describe("what a meter has to be enrolled with", () => {
  it.each([
    ["generic-us", { systemTitle: ".23.1" }, undefined],
    ["generic-us", { systemTitle: "4852530001000001" }, "systemTitle"],
    ["generic-us", {}, "systemTitle"],
    ["generic-us", { systemTitle: ".23.1", keys: {} }, "keys.unicast"],
    ["generic-us", { systemTitle: ".23.1", routes: [{ kind: "attached" }] }, undefined],
    ["generic-us-clear", { systemTitle: ".23.1", routes: [{ kind: "attached" }] }, "routes.0"],
    ["generic-eu", { systemTitle: "4852530001000001" }, undefined],
    ["generic-eu", { systemTitle: ".23.1" }, "systemTitle"],
  ])("%s, %j", (profile, part, field) => {
    expect(unsuitable(request(part), profileOf(profile))?.field).toBe(field);
  });
});
