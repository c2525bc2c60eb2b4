import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../../ports/node-crypto.ts";
import { fromHex, toHex } from "../../ports/octets.ts";
import file from "../vectors/certificates.json" with { type: "json" };
import { type CertifiedUse, certifiedKey } from "./certificate.ts";

const NOW = Date.UTC(2026, 0, 23, 12);
const TITLE = fromHex("4852530001000001");
type Name = Exclude<keyof typeof file, "source">;
const der = (name: Name): Uint8Array => fromHex(file[name]);

function look(
  name: Name,
  part: {
    readonly use?: CertifiedUse;
    readonly curve?: "P-256" | "P-384";
    readonly anchors?: readonly Name[];
    readonly intermediates?: readonly Name[];
    readonly now?: number;
  } = {},
) {
  const { use = "signing", curve = "P-256", anchors = ["root"], intermediates = ["sub"], now = NOW } = part;
  const trust = { anchors: anchors.map(der), intermediates: intermediates.map(der), now };
  return certifiedKey(nodeCrypto, der(name), { title: TITLE, curve, use }, trust);
}

const pointOf = (curve: "P-256" | "P-384", fill: number): string => {
  const key = nodeCrypto.privateKey(curve, new Uint8Array(curve === "P-256" ? 32 : 48).fill(fill));
  if (key === undefined) throw new Error("no scalar");
  return toHex(nodeCrypto.publicKeyOf(key));
};

describe("a device's certificate", () => {
  it.each([
    ["signing, through a certificate between", "signing", {}, pointOf("P-256", 6)],
    ["agreement", "agreement", { use: "agreement" }, pointOf("P-256", 7)],
    [
      "under the certificate between as the anchor",
      "signing",
      { anchors: ["sub"], intermediates: [] },
      pointOf("P-256", 6),
    ],
    ["that is the anchor itself", "signing", { anchors: ["signing"], intermediates: [] }, pointOf("P-256", 6)],
    [
      "beside a root of the same name that did not issue it",
      "signing",
      { anchors: ["otherRoot", "root"] },
      pointOf("P-256", 6),
    ],
    ["on P-384", "signing384", { curve: "P-384", anchors: ["root384"] }, pointOf("P-384", 6)],
  ] as const)("vouches for its key: %s", (_, name, part, point) => {
    const found = look(name, part);
    expect(found.kind === "certified" && toHex(found.publicKey)).toBe(point);
  });

  it.each([
    ["another device's", "otherTitle", {}, "wrong-title"],
    ["of another curve", "signing384", { anchors: ["root384"] }, "wrong-curve"],
    ["for the other use", "signing", { use: "agreement" }, "wrong-use"],
    ["for both uses", "both", {}, "wrong-use"],
    ["of an authority", "authority", {}, "wrong-use"],
    ["that has run out", "expired", {}, "expired"],
    ["of the future", "future", {}, "not-yet-valid"],
    ["whose issuer has run out", "signing", { now: Date.UTC(2125, 5) }, "expired"],
    ["of an issuer with the name of a trusted one", "byOtherRoot", {}, "untrusted"],
    ["that issued itself", "byDevice", {}, "untrusted"],
    ["without the certificate between", "signing", { intermediates: [] }, "untrusted"],
    ["with no anchor", "signing", { anchors: [] }, "untrusted"],
  ] as const)("is refused: %s", (_, name, part, because) => {
    expect(look(name, part)).toEqual({ kind: "refused", because });
  });

  it("is none when cut off", () => {
    const whole = der("signing");
    for (let length = 0; length < whole.length; length += 5) {
      const trust = { anchors: [der("root")], intermediates: [der("sub")], now: NOW };
      const expected = { title: TITLE, curve: "P-256", use: "signing" } as const;
      const found = certifiedKey(nodeCrypto, whole.subarray(0, length), expected, trust);
      expect(found).toEqual({ kind: "refused", because: "malformed" });
    }
  });

  it("is refused when any octet of its signature is another", () => {
    const changed = der("signing");
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    const trust = { anchors: [der("root")], intermediates: [der("sub")], now: NOW };
    const found = certifiedKey(nodeCrypto, changed, { title: TITLE, curve: "P-256", use: "signing" }, trust);
    expect(found).toEqual({ kind: "refused", because: "untrusted" });
  });
});
