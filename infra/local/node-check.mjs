// Plain JavaScript on purpose: it must run on any Node, to tell who has too old a one what to do.
import { createRequire } from "node:module";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  let reason = "its Node 24 was not installed with it";
  try {
    createRequire(import.meta.url).resolve("../../node_modules/zod/package.json");
  } catch {
    reason = "its packages are not installed";
  }
  process.stderr.write(
    `Headrace needs Node 24 or newer; this is Node ${process.versions.node}, and ${reason}.\n` +
      "Run `npm ci` (npm 10 or newer brings Node 24 on Linux x64 and arm64) and start it by npm: `npm start`.\n" +
      "On other systems install Node 24 first.\n",
  );
  process.exit(2);
}
