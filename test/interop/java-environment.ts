import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "./python-environment.ts";

/**
 * The Java peer, jDLMS, and what it needs: fetched by Maven into `.cache/`, never part of this repository. `pom.xml` names
 * it, `checksums.json` holds the SHA-256 of every archive that must come.
 */

const ROOT = join(import.meta.dirname, "..", "..");
const HERE = join(import.meta.dirname, "jdlms");
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

export type JavaEnvironment =
  | {
      readonly kind: "ready";
      /** Arguments of `java` that run one of the programs beside this file. */
      readonly program: (name: "JdlmsClient" | "JdlmsMeter") => readonly string[];
    }
  | { readonly kind: "absent"; readonly reason: string };

function verified(folder: string, checksums: Readonly<Record<string, string>>): boolean {
  if (!existsSync(folder)) return false;
  const found = readdirSync(folder).filter((name) => name.endsWith(".jar"));
  return (
    found.length === Object.keys(checksums).length &&
    found.every(
      (name) =>
        createHash("sha256")
          .update(readFileSync(join(folder, name)))
          .digest("hex") === checksums[name],
    )
  );
}

/** Fetches and compiles, or finds it done. Throws when the archives cannot be had or are not the expected ones. */
export async function javaEnvironment(say: (line: string) => void = () => undefined): Promise<JavaEnvironment> {
  const version = await finished("javac", ["-version"]);
  const maven = await finished("mvn", ["--version"]);
  if (version.code !== 0 || maven.code !== 0)
    return { kind: "absent", reason: "no javac or mvn: install Debian's packages default-jdk-headless and maven" };
  const sources = ["JdlmsClient.java", "JdlmsMeter.java"].map((name) => join(HERE, name));
  const digest = createHash("sha256");
  for (const file of [...sources, join(HERE, "pom.xml"), join(HERE, "checksums.json")])
    digest.update(readFileSync(file));
  const folder = join(ROOT, ".cache", `jdlms-${digest.update(version.stdout).digest("hex").slice(0, 16)}`);
  const archives = join(folder, "lib");
  const ready = join(folder, "ready");
  const path = `${join(archives, "*")}:${join(folder, "classes")}`;
  const program = (name: string): readonly string[] => ["-XX:TieredStopAtLevel=1", "-cp", path, name];
  if (existsSync(ready)) return { kind: "ready", program };
  say("fetching and compiling the Java peer");
  rmSync(folder, { recursive: true, force: true });
  const fetching = ["-q", "-B", "-f", join(HERE, "pom.xml"), PLUGIN];
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ["mvn", [...fetching, "-DincludeScope=runtime", `-DoutputDirectory=${archives}`]],
    ["javac", ["-d", join(folder, "classes"), "-cp", join(archives, "*"), ...sources]],
  ];
  const checksums = JSON.parse(readFileSync(join(HERE, "checksums.json"), "utf8")) as Record<string, string>;
  for (const [command, args] of steps) {
    const { code, stdout, stderr } = await finished(command, args);
    if (code !== 0)
      throw new Error(`${command} failed: ${`${stdout}${stderr}`.trim().split("\n").slice(0, 5).join(" ")}`);
    if (!verified(archives, checksums)) throw new Error("the Java peer's archives are not those of checksums.json");
  }
  writeFileSync(ready, version.stdout);
  return { kind: "ready", program };
}
