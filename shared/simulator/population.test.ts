import { describe, expect, it } from "vitest";
import { SystemTitle } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { dlmsPopulation, isDlms, parseProtocols, population, type SimulatedMeterPlan } from "./population.ts";

const options = { meters: 500, seed: 70_001, faults: { "wrong-key": 0.1 }, clientSystemTitle: "4844520000000001" };
const titleOf = (plan: SimulatedMeterPlan): string => (isDlms(plan) ? plan.systemTitle : plan.apTitle);
function models(plans: readonly SimulatedMeterPlan[]): Readonly<Record<string, number>> {
  const count: Record<string, number> = {};
  for (const { profile } of plans) count[profile.name] = (count[profile.name] ?? 0) + 1;
  return count;
}

describe("a population", () => {
  it("gives every meter an identity and keys of its own, the same for a seed", () => {
    const plans = population(nodeCrypto, options);
    const of = (pick: (plan: SimulatedMeterPlan) => string | undefined) =>
      plans.map(pick).filter((each) => each !== undefined);
    for (const each of [of(({ meterId }) => meterId), of(({ serial }) => serial), of(titleOf)])
      expect(new Set(each).size).toBe(500);
    const keys = of((plan) => plan.enrolled.unicast).concat(of((plan) => plan.enrolled.authentication));
    expect(new Set(keys).size).toBe(keys.length);
    expect(population(nodeCrypto, options)).toEqual(plans);
    expect(population(nodeCrypto, { ...options, seed: 2 }).map(titleOf)).not.toEqual(plans.map(titleOf));
    for (const plan of plans) {
      expect(SystemTitle.parse(titleOf(plan)).includes(".")).toBe(!isDlms(plan));
      if (!isDlms(plan)) expect(plan.profile.c1222.access.callingApTitle).not.toBe(plan.apTitle);
    }
  });

  it("is half of either protocol, each with several ways of securing a meter, mostly the everyday one", () => {
    expect(models(population(nodeCrypto, options))).toEqual({
      "generic-eu": 175,
      "generic-eu-general": 25,
      "generic-eu-lls": 25,
      "generic-eu-public": 25,
      "generic-us": 200,
      "generic-us-authenticated": 25,
      "generic-us-clear": 25,
    });
  });

  it("speaks the protocols in the shares that it is asked for", () => {
    const count = (text: string) =>
      population(nodeCrypto, { ...options, protocols: parseProtocols(text) }).filter(isDlms).length;
    expect([count("dlms=1"), count("c1222=1"), count("dlms=0.3"), count("c1222=0.3,dlms=0.7")]).toEqual([
      500, 0, 150, 350,
    ]);
    expect(dlmsPopulation(nodeCrypto, options)).toEqual(
      population(nodeCrypto, { ...options, protocols: { dlms: 1, c1222: 0 } }),
    );
    for (const wrong of ["dlms=0.5,c1222=0.4", "modbus=1", "dlms=2", "dlms"])
      expect(() => parseProtocols(wrong), wrong).toThrow(/^expected/);
  });

  it("lets a meter with wrong-key hold other keys than it was enrolled with, and no other meter", () => {
    const wrong = new Set<string>();
    for (const { fault, enrolled, held, profile } of population(nodeCrypto, options)) {
      if (fault !== "wrong-key") expect(held).toEqual(enrolled);
      else {
        expect(held).not.toEqual(enrolled);
        wrong.add(profile.protocol);
      }
    }
    expect([...wrong].sort()).toEqual(["c1222", "dlms"]);
  });
});
