import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { eaxPrimeKey } from "../../shared/c1222/security/eax-prime.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { parseHex } from "../../shared/ports/octets.ts";
import { WireError } from "../../shared/wire/wire-error.ts";
import { type C1222Key, c1222Layers } from "./c1222-layers.ts";
import { type Framing, frameLayers, framingOf } from "./frame-layers.ts";
import type { Secrets } from "./secrets.ts";

const USAGE = `Prints what one frame says, as one JSON object.

  npm run -s decode -- dlms [options] HEX
  npm run -s decode -- dlms [options] -        one frame a line of standard input, one object a line out
  npm run -s decode -- c1222 [--key ID:HEX] HEX|-

Options
  --framing wrapper|hdlc|none|data   none: an APDU as it stands; data: one value of Data
                                     (told from the first octets where absent)
  --key HEX              global encryption key, 32 or 64 hex digits; may be repeated, each is tried
  --auth-key HEX         authentication key; may be repeated
  --dedicated-key HEX    dedicated key; may be repeated
  --title HEX            system title of a sender, 16 hex digits; may be repeated
  --key ID:HEX           with c1222: a key of 32 hex digits and its decimal id; may be repeated, each is tried
  --help

Output: { "protocol": "dlms", "layers": [ { "layer": "wrapper", … }, { "layer": "apdu", "name": "GetRequest", … } ] }
Malformed input: { "error": { "code", "message", "offset" } }, exit 2 (with -: at the end). Usage errors: exit 2.
`;

class UsageError extends Error {}

const FRAMINGS: readonly string[] = ["wrapper", "hdlc", "none", "data"];
const KEY_OCTETS = [16, 32];

function octetsOf(option: string, values: readonly string[], lengths: readonly number[]): readonly Uint8Array[] {
  return values.map((value) => {
    const octets = parseHex(value);
    // The value itself may be a key: it is not repeated.
    if (octets === undefined || !lengths.includes(octets.length))
      throw new UsageError(`--${option}: expected ${lengths.map((length) => length * 2).join(" or ")} hex digits`);
    return octets;
  });
}

const many = { type: "string", multiple: true } as const;
function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        framing: { type: "string" },
        key: many,
        "auth-key": many,
        "dedicated-key": many,
        title: many,
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Outcome = { readonly ok: boolean; readonly object: object };

/** The printed object for one DLMS frame. */
export const decodeFrame = (hex: string, framing: Framing | undefined, secrets: Secrets): Outcome =>
  decoded("dlms", hex, (octets) => frameLayers(octets, framing ?? framingOf(octets), secrets));

/** The printed object for one C12.22 APDU. */
export const decodeApdu = (hex: string, keys: readonly C1222Key[]): Outcome =>
  decoded("c1222", hex, (octets) => c1222Layers(octets, keys));

function decoded(protocol: string, hex: string, layersOf: (octets: Uint8Array) => readonly object[]): Outcome {
  try {
    const octets = parseHex(hex);
    if (octets === undefined) {
      const digits = hex.replaceAll(/\s+/g, "");
      const bad = digits.search(/[^0-9a-fA-F]/);
      throw new WireError(
        "wire.value",
        "expected an even number of hex digits",
        Math.floor((bad < 0 ? digits.length : bad) / 2),
      );
    }
    return {
      ok: true,
      object: { protocol, layers: layersOf(octets) },
    };
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    const offset = error instanceof WireError ? error.offset : null;
    return { ok: false, object: { error: { code: error.code, message: error.message, offset } } };
  }
}

/** `ID:HEX`, the id decimal. */
function c1222Keys(values: readonly string[]): readonly C1222Key[] {
  return values.map((value) => {
    const [, id, hex = ""] = /^(\d{1,3}):([0-9a-fA-F]{32})$/.exec(value) ?? [];
    const octets = parseHex(hex);
    if (id === undefined || octets === undefined || Number(id) > 255)
      throw new UsageError("--key: expected ID:HEX, an id of 0 to 255 and 32 hex digits"); // the value itself may be a key
    return { id: Number(id), key: eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(octets)) };
  });
}

type Values = ReturnType<typeof parse>["values"];

function c1222Decoder(values: Values): (hex: string) => Outcome {
  const others = (["framing", "auth-key", "dedicated-key", "title"] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (others.length > 0 && values.framing !== "none")
    throw new UsageError(`expected no --${others[0]} with c1222: an APDU stands as it is`);
  const keys = c1222Keys(values.key ?? []);
  return (hex) => decodeApdu(hex, keys);
}

function dlmsDecoder(values: Values): (hex: string) => Outcome {
  const { framing } = values;
  if (framing !== undefined && !FRAMINGS.includes(framing))
    throw new UsageError(`--framing: expected ${FRAMINGS.join(", ")}, got ${framing}`);
  const handles = (option: "key" | "dedicated-key") =>
    octetsOf(option, values[option] ?? [], KEY_OCTETS).map((octets) => nodeCrypto.secretKey(octets));
  const secrets: Secrets = {
    keys: handles("key"),
    authenticationKeys: octetsOf("auth-key", values["auth-key"] ?? [], KEY_OCTETS),
    dedicatedKeys: handles("dedicated-key"),
    titles: octetsOf("title", values.title ?? [], [8]),
  };
  return (hex) => decodeFrame(hex, framing as Framing | undefined, secrets);
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [protocol, input, ...more] = positionals;
  if (protocol !== "dlms" && protocol !== "c1222")
    throw new UsageError(`expected the protocol dlms or c1222, got ${protocol ?? "nothing"}`);
  if (input === undefined || more.length > 0) throw new UsageError("expected one frame as hex, or -");
  const decodeOne = protocol === "c1222" ? c1222Decoder(values) : dlmsDecoder(values);
  let ok = true;
  const answer = (hex: string): void => {
    const outcome = decodeOne(hex);
    ok &&= outcome.ok;
    process.stdout.write(`${JSON.stringify(outcome.object)}\n`);
  };
  if (input !== "-") answer(input);
  else for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== "") answer(line);
  return ok ? 0 : 2;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`decode: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}
