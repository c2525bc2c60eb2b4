import { describe, expect, it } from "vitest";
import { addressedAs, titleKind } from "./addressing.ts";

describe("titles of groups and branches", () => {
  it.each([
    [".23.1", "node"],
    [".23.0", "broadcast"],
    [".0", "broadcast"],
    [".23.0.5", "multicast"],
    ["2.16.124.113620.1.22.0.23.0", "broadcast"],
    [".23.128", "node"], // its last octet is 00 on the wire
    ["1.3.6.1.4.1.33507.1919.0", "node"], // vendors give such titles to single meters
  ])("%s is a title of a %s", (title, kind) => expect(titleKind(title)).toBe(kind));

  const node = { apTitle: ".23.7", groups: [".9.0.1"] };
  it.each([
    [".23.7", "node"],
    ["2.16.124.113620.1.22.0.23.7", "node"],
    [".23.0", "group"],
    [".0", "group"],
    [".9.0.1", "group"],
    [".9.0.2", undefined],
    [".24.0", undefined],
    [".2.0", undefined], // the arc 2 is no part of the arc 23
    [".23.7.0", "group"],
    [".23.7.1.0", undefined],
    [".23.8", undefined],
  ])("%s means a node .23.7 of the group .9.0.1: %s", (called, meant) => expect(addressedAs(called, node)).toBe(meant));

  it("a node whose own title ends in 0 is meant alone by it", () =>
    expect(addressedAs(".23.0", { apTitle: ".23.0", groups: [] })).toBe("node"));
});
