import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { SINGLE_PAGE, STRIP_API_PREFIX } from "./edge-functions.ts";

const rewritten = (code: string, uri: string): string =>
  runInNewContext(`${code}; handler({ request: { uri } }).uri`, { uri }) as string;

describe("the edge", () => {
  it.each([
    ["/", "/index.html"],
    ["/meters/A-100", "/index.html"],
    ["/callback", "/index.html"],
    ["/assets/index-B1.js", "/assets/index-B1.js"],
    ["/config.json", "/config.json"],
  ])("serves the console's page %s from %s", (uri, file) => expect(rewritten(SINGLE_PAGE, uri)).toBe(file));

  it.each([
    ["/api/jobs", "/jobs"],
    ["/api/meters/api", "/meters/api"],
    ["/api", "/"],
    ["/apis", "/apis"],
  ])("passes %s on as %s", (uri, path) => expect(rewritten(STRIP_API_PREFIX, uri)).toBe(path));
});
