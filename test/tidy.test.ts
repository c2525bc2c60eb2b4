import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { FUNCTIONS } from "../infra/functions.ts";
import { RESOURCE_TYPES } from "../infra/local/resource-types.ts";
import { LANES } from "../infra/resources.ts";
import { allowsPackage, allowsPath, layerOf, PACKAGES_OF_TESTS } from "./import-table.ts";
import { bareCodeOf, codeOf, filesOf, importsOf, ROOT, textOf } from "./source.ts";

const sources = filesOf("{shared,functions,infra,web,test}/**/*.{ts,tsx,mjs}");
const documents = filesOf("{*.md,docs/**/*.md}");
const everything = [
  ...sources,
  ...documents,
  ...filesOf("{*.json,.ci/*,web/**/*.{css,html},test/**/*.{py,txt,sh}}"),
].filter((file) => file !== "package-lock.json");
/** This file names what it looks for. */
const others = everything.filter((file) => file !== "test/tidy.test.ts");
const isTest = (file: string): boolean => /(\.test\.tsx?|-fixture\.ts)$/.test(file);
const product = sources.filter((file) => !file.startsWith("test/"));
const inShared = (file: string): boolean => file.startsWith("shared/");
/** `node-crypto.ts` is the one that may know Node. */
const pure = product.filter((file) => inShared(file) && !isTest(file) && file !== "shared/ports/node-crypto.ts");

/** Files in which a pattern is found, with the line that it is found in. */
const found = (
  files: readonly string[],
  pattern: RegExp,
  read: (text: string) => string = (text) => text,
): readonly string[] =>
  files.flatMap((file) =>
    read(textOf(file))
      .split("\n")
      .flatMap((line) => (pattern.test(line) ? [`${file}: ${line.trim().slice(0, 120)}`] : [])),
  );

describe("imports", () => {
  it("sees an import in every form in which one can be written", () => {
    const text = `import "a";\nimport b from "b";\nimport type { C } from "c";\nimport {\n  d,\n} from "../d.ts";\nexport * from "./e.ts";\nawait import("f"); // import "g"\nimport * as h from "h";`;
    expect(importsOf("shared/x/y.ts", text)).toEqual([
      { package: "a" },
      { package: "b" },
      { package: "c" },
      { path: "shared/d.ts" },
      { path: "shared/x/e.ts" },
      { package: "f" },
      { package: "h" },
    ]);
  });

  it.each(product)("%s knows only what its folder may", (file) => {
    const layer = layerOf(file);
    expect(layer, "a folder of section 3 of the design").toBeDefined();
    if (layer === undefined) return;
    const wrong = importsOf(file, textOf(file)).filter(({ path, package: name }) => {
      if (path !== undefined)
        return !allowsPath(layer, path) && !(isTest(file) && (path.startsWith("test/") || !inShared(file)));
      return !allowsPackage([...layer.packages, ...(isTest(file) ? PACKAGES_OF_TESTS : [])], name ?? "");
    });
    expect(wrong.map(({ path, package: name }) => path ?? name)).toEqual([]);
  });

  it("names a source by its whole name: no folder, no missing ending", () => {
    const vague = sources.flatMap((file) =>
      importsOf(file, textOf(file)).flatMap(({ path }) =>
        path === undefined || existsAsFile(path) ? [] : [`${file}: ${path}`],
      ),
    );
    expect(vague).toEqual([]);
  });
});

describe("shared", () => {
  it.each([
    ["the clock", /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/],
    ["timers", /\bset(Timeout|Interval|Immediate)\(/],
    ["chance", /\bMath\.random\b|\bcrypto\.(getRandomValues|randomUUID)\b|\brandomBytes\b/],
    ["the process", /\bprocess\.|\bprocess\[/],
    ["Node's own octets", /\bBuffer\b/],
    ["the network", /\bfetch\(|\bWebSocket\b/],
    ["the console", /\bconsole\.\w/],
  ])("does not touch %s", (_, pattern) => expect(found(pure, pattern, bareCodeOf)).toEqual([]));
});

describe("sources", () => {
  it("are at most 400 lines long", () => {
    const lines = (file: string): number => textOf(file).trimEnd().split("\n").length;
    expect(sources.filter((file) => lines(file) > 400).map((file) => `${file}: ${lines(file)}`)).toEqual([]);
  });

  it("switch no check off without a reason, and never that of types", () =>
    expect(
      found(
        others,
        /@ts-(ignore|nocheck|expect-error)|biome-ignore\S* (lint\/suspicious\/noExplicitAny|\S+\s*$|[^:]*:\s*$)/,
      ),
    ).toEqual([]));

  it("are named by one concept", () =>
    expect(
      sources.filter((file) => /(^|\/)(utils?|helpers?|types|common|misc|index)(\.[jt]sx?|\/)/.test(file)),
    ).toEqual([]));

  it("leave nothing marked for later", () => expect(found(others, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]));

  it("run every test and only once it is asked for", () =>
    expect(found(sources, /\b(it|test|describe)\.(only|todo)\(/, bareCodeOf)).toEqual([]));

  it("name queues in the description alone", () =>
    expect(
      found(
        product.filter((file) => !file.startsWith("infra/")),
        new RegExp(`headrace-(${LANES.join("|")}|results)`),
        codeOf,
      ),
    ).toEqual([]));
});

describe("the repository", () => {
  const hosts = [
    ["registry", "npmjs", "org"],
    ["npmmirror", "com"],
    ["files", "pythonhosted", "org"],
    ["pypi", "org"],
    ["deb", "debian", "org"],
  ];
  it("names no registry's host", () =>
    expect(found(everything, new RegExp(hosts.map((parts) => parts.join("\\.")).join("|")))).toEqual([]));

  it("names no machine's folder", () => expect(found(others, /(^|[\s"'`(=])\/(work|root|home|Users)\//)).toEqual([]));

  it("pins what it depends on", () => {
    const manifest = JSON.parse(textOf("package.json")) as Record<string, Record<string, string> | undefined>;
    const loose = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    );
    expect(loose).toEqual([]);
  });

  it("keeps the check on a clean machine executable", () =>
    expect(statSync(join(ROOT, ".ci/run")).mode & 0o111).not.toBe(0));

  it("has a folder for every function of the table, and a row for every folder", () => {
    const folders = filesOf("functions/*/handler.ts").map((file) => file.split("/")[1]);
    expect(folders.sort()).toEqual(Object.keys(FUNCTIONS).sort());
  });
});

describe("a protocol", () => {
  /** Where protocols are known apart: what describes, speaks or simulates them, tools for one, and what puts the parts together. */
  const apart =
    /^(shared\/(metering|dlms|c1219|c1222|simulator)|functions\/(decode|discover)|infra\/local)\/|^functions\/bridge\/main\.ts$/;

  it("is nothing that anything above the drivers asks for", () => {
    const above = product.filter((file) => !isTest(file) && !apart.test(file));
    expect(above.length).toBeGreaterThan(100);
    expect(
      found(above, /[!=]==? ?"(dlms|c1222)"|"(dlms|c1222)" ?[!=]==?|\.(dlms|c1222)\b|case "(dlms|c1222)"/, codeOf),
    ).toEqual([]);
  });

  it("has vectors for every APDU", () => {
    const rows = [...textOf("shared/dlms/apdu.ts").matchAll(/^\s+(\d+): row\("(\w+)"/gm)];
    const vectors = filesOf("shared/dlms/{*.test.ts,vectors/*.json}").map(textOf).join("\n");
    expect(rows.length).toBeGreaterThan(10);
    const without = rows.filter(([, tag, name]) => {
      const first = Number(tag).toString(16).padStart(2, "0");
      return !new RegExp(`"${name}"|["\`]${first}[0-9a-f]{4}`, "i").test(vectors);
    });
    expect(without.map(([, , name]) => name)).toEqual([]);
  });
});

describe("the documents", () => {
  const scripts = (JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }).scripts;

  it("name commands that exist", () => {
    const unknown = documents.flatMap((file) =>
      [...textOf(file).matchAll(/\bnpm (?:run (?:-s )?([\w:]+)|(start|test)\b)/g)].flatMap(([, named, short]) =>
        Object.hasOwn(scripts, named ?? short ?? "") ? [] : [`${file}: ${named ?? short}`],
      ),
    );
    expect(unknown).toEqual([]);
  });

  it("have scripts whose entries exist", () => {
    const missing = Object.entries(scripts).flatMap(([name, line]) =>
      [...line.matchAll(/[\w./-]+\.(?:ts|mjs)\b/g)].flatMap(([file]) =>
        existsAsFile(posix.normalize(file)) ? [] : [`${name}: ${file}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  it("link to files and headings that exist", () => {
    const broken = documents.flatMap((file) =>
      [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
        if (/^[a-z]+:/.test(target)) return [];
        const [path = "", anchor] = target.split("#");
        const place = path === "" ? file : posix.join(posix.dirname(file), path);
        if (!existsSync(join(ROOT, place))) return [`${file}: ${target}`];
        return anchor === undefined || anchorsOf(place).includes(anchor) ? [] : [`${file}: ${target}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("say what to do about every alarm", () => {
    const entries = [...textOf("infra/runbook.ts").matchAll(/^\s+\| "([\w-]+)"/gm)].map(([, entry]) => entry);
    expect(entries.length).toBeGreaterThan(0);
    expect(anchorsOf("docs/runbook.md")).toEqual(expect.arrayContaining(entries));
  });

  it("repeat the list of what local mode does with each type of resource", () => {
    const listed = [...textOf("docs/local-mode.md").matchAll(/^\| `(\w+::[\w:]+)` \|/gm)].map(([, type]) => type);
    expect(listed.sort()).toEqual(Object.keys(RESOURCE_TYPES).sort());
  });

  it("number decisions without a gap", () => {
    const numbers = filesOf("docs/adr/*.md").map((file) => Number(/(\d{4})-/.exec(file)?.[1]));
    expect(numbers).toEqual(numbers.map((_, place) => place + 1));
  });
});

/** Headings as anchors, by the rules that hosts of Markdown have in common. */
function anchorsOf(file: string): readonly string[] {
  return textOf(file)
    .split("\n")
    .flatMap((line) => /^#+\s+(.*)$/.exec(line)?.[1] ?? [])
    .map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    );
}

function existsAsFile(path: string): boolean {
  const place = join(ROOT, path);
  return existsSync(place) && statSync(place).isFile();
}
