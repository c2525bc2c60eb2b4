import { afterAll, describe, expect, it } from "vitest";
import { command } from "../../functions/discover/main.ts";
import { DeviceProfile } from "../../shared/metering/profile.ts";
import { type GuruxMeter, startGuruxMeter } from "./gurux-meter.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** Discovery reads the object list of a meter that others wrote. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const meters: GuruxMeter[] = [];
afterAll(() => {
  for (const meter of meters) meter.stop();
});

describe.skipIf(environment.kind === "absent")("a meter built on gurux-dlms", () => {
  it.each([1024, 200])("is discovered, in APDUs of %i octets", async (pdu) => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const meter = await startGuruxMeter(environment.python, {
      secured: false,
      title: "4852530001000001",
      key: "00".repeat(16),
      authKey: "00".repeat(16),
      pdu,
      last: 1_800_000_000,
      entries: 96,
      registers: [1, 2],
    });
    meters.push(meter);
    let out = "";
    let err = "";
    const code = await command(["--host", "127.0.0.1", "--port", String(meter.port), "--json"], {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    expect(err + meter.complaints()).toBe("");
    expect(code).toBe(0);
    const { objects, profiles } = JSON.parse(out) as {
      readonly objects: readonly { readonly class: string; readonly logicalName: string }[];
      readonly profiles: readonly unknown[];
    };
    expect(objects).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ class: "Clock", logicalName: "0.0.1.0.0.255" }),
        expect.objectContaining({ class: "Profile generic", logicalName: "1.0.99.1.0.255" }),
      ]),
    );
    const profile = DeviceProfile.parse(profiles[0]);
    if (profile.protocol !== "dlms") throw new Error("expected a DLMS profile");
    expect(profile.dlms.registers.map(({ measurement }) => measurement)).toEqual(
      expect.arrayContaining(["energy.active.import.total", "energy.active.export.total"]),
    );
    expect(profile.dlms.loadProfiles).toEqual([expect.objectContaining({ obis: "1.0.99.1.0.255", period: 900 })]);
  });
});
