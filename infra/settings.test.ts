import { App } from "aws-cdk-lib";
import { describe, expect, it } from "vitest";
import { settingsOf } from "./settings.ts";

const settings = (context: Record<string, unknown>) => settingsOf(new App({ context }).node);

describe("settings", () => {
  it("are a co-op's where nothing is said", () =>
    expect(settings({ region: "eu-west-1" })).toMatchObject({
      deployment: "headrace",
      profile: "coop",
      network: "public",
      availabilityZones: ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
      maxSessions: 256,
      reservedConcurrency: true,
    }));

  it("give every deployment and Region a client system title of its own", () => {
    const contexts = [{}, { deployment: "other" }, { region: "us-east-1" }];
    const titles = contexts.map((context) => settings(context).clientSystemTitle);
    expect(new Set(titles).size).toBe(3);
    for (const title of titles) expect(title).toMatch(/^484452[0-9a-f]{10}$/);
  });

  it.each([
    ["profile", { profile: "huge" }, "one of coop, utility"],
    ["layers", { layers: "x64" }, "one of arm64, here"],
    ["network", { network: "vpn" }, "one of public, fixed, attached"],
    ["deployment", { deployment: "Head Race" }, "a-z"],
    ["region", { region: "moon" }, "a Region"],
    ["clientSystemTitle", { clientSystemTitle: "4844" }, "16 hex digits"],
    ["bridgeImage", { bridgeImage: "node:24" }, "by digest"],
    ["maxSessions", { maxSessions: "0" }, "a whole number above 0"],
    ["vpcId", { network: "attached" }, "network attached needs it"],
    ["consoleCertificate", { consoleDomain: "ami.example.coop" }, "a certificate in us-east-1"],
  ])("refuse a wrong %s by name, with what was expected", (key, context, expected) => {
    expect(() => settings(context)).toThrow(`context ${key}: expected`);
    expect(() => settings(context)).toThrow(expected);
  });
});
