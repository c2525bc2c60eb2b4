import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { SINGLE_PAGE } from "../infra/constructs/edge-functions.ts";
import { jobPath, meterPath } from "../web/shell/pages.ts";

const served = (uri: string): string =>
  (runInNewContext(`${SINGLE_PAGE}; handler(event)`, { event: { request: { uri } } }) as { uri: string }).uri;

it.each(["/", "/jobs/new", "/callback", jobPath("0a1b"), meterPath("M-1"), meterPath("A.1")])(
  "the distribution serves the console at %s",
  (path) => expect(served(path)).toBe("/index.html"),
);

it.each(["/config.json", "/favicon.svg", "/assets/index-1.js"])("the distribution serves the file %s", (path) =>
  expect(served(path)).toBe(path),
);
