import { spawn } from "node:child_process";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { type Data, DataCodec } from "../../shared/dlms/data.ts";
import { INTERFACE_CLASSES } from "../../shared/dlms/objects/interface-classes.ts";
import type { Form } from "../../shared/dlms/objects/shape.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** Attributes of our interface classes go into objects of gurux-dlms, and come out of them as they went in. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const SIMPLE: Readonly<Record<string, Data["value"]>> = {
  unsigned: 7,
  "long-unsigned": 700,
  "double-long-unsigned": 70_000,
  "long64-unsigned": 7n,
  integer: -3,
  long: -300,
  "double-long": -70_000,
  boolean: true,
  enum: 1,
  "visible-string": "abc",
  "utf8-string": "abc",
  "bit-string": { length: 8, octets: Uint8Array.of(0xa5) },
};
const REGISTER = 3;

/** One value of a form; a class_id is one that the package knows. */
function sample(form: Form, name = ""): Data {
  switch (form.kind) {
    case "simple": {
      const named = Object.values(form.names ?? {});
      const value = name === "classId" ? REGISTER : (named[1] ?? named[0] ?? SIMPLE[form.type]);
      if (value === undefined) throw new Error(`no sample of ${form.type}`);
      return { type: form.type, value } as Data;
    }
    case "octets":
      return {
        type: "octet-string",
        value: form.length === 6 ? fromHex("0000600100ff") : fromHex("4142434445464748").slice(0, form.length),
      };
    case "date-time":
      return { type: "octet-string", value: fromHex("07ea0117050c000000ffc400") };
    case "date":
      return { type: "octet-string", value: fromHex("07ea0117ff") };
    case "time":
      return { type: "octet-string", value: fromHex("0c000000") };
    case "any":
      return { type: "double-long-unsigned", value: 5 };
    case "optional":
      return sample(form.of);
    case "array":
      return { type: "array", value: [sample(form.of), sample(form.of)] };
    case "structure":
      return { type: "structure", value: Object.entries(form.members).map(([key, member]) => sample(member, key)) };
  }
}

interface Answer {
  readonly hex?: string;
  readonly error?: string;
}
async function through(python: string, lines: readonly object[]): Promise<readonly Answer[]> {
  const child = spawn(python, [join(import.meta.dirname, "gurux_objects.py")], { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.stdin.end(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  expect(await ended).toBe(0);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

/**
 * What the package writes otherwise than it was given, by its own slips: 21 as a structure, lengths of 23 version 0 in one
 * octet, 27 with the delay of version 1, 40 without the port, 42's addresses cut to 16 bits, 15's users as nothing.
 */
const SLIPS = [
  "15.2 userList",
  "15.3 userList",
  "21.0 thresholds",
  "21.0 actions",
  "23.0 maxInfoFieldLengthTransmit",
  "23.0 maxInfoFieldLengthReceive",
  "27.0 initializationString",
  "40.1 portReference",
  "40.2 portReference",
  "42.0 multicastIpAddress",
];
/** Identical ones of the version pinned; fewer would mean that a description has changed. */
const IDENTICAL_LEAST = 470;

describe.skipIf(environment.kind === "absent")("objects of gurux-dlms", () => {
  it("take what our interface classes write, and give it back in a form that they read", async () => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const asked = INTERFACE_CLASSES.flatMap((of) =>
      Object.entries(of.attributes)
        .slice(1)
        .map(([name, { id, shape }]) => ({ of, name, id, shape, data: sample(shape.form) })),
    );
    const answers = await through(
      environment.python,
      asked.map(({ of, id, data }) => ({
        classId: of.classId,
        version: of.version,
        attributeId: id,
        hex: toHex(encode(DataCodec, data)),
      })),
    );
    expect(answers).toHaveLength(asked.length);
    const unread: string[] = [];
    let identical = 0;
    for (const [index, { of, name, shape, data }] of asked.entries()) {
      const hex = answers[index]?.hex;
      // An error: the package does not have this class, version or attribute, or asks more of the value.
      if (hex === undefined) continue;
      const key = `${of.classId}.${of.version} ${name}`;
      const back = hex === "" ? undefined : decode(DataCodec, fromHex(hex));
      if (isDeepStrictEqual(back, data)) identical += 1;
      else if (back === undefined || shape.read(back) === undefined) unread.push(key);
    }
    expect(unread).toEqual(SLIPS);
    expect(identical).toBeGreaterThanOrEqual(IDENTICAL_LEAST);
    process.stderr.write(`${identical} of ${asked.length} attributes came back identical\n`);
  }, 60_000);
});
