import { describe, expect, it } from "vitest";
import { fairShare } from "./fair-share.ts";
import { WorkItem } from "./messages.ts";

const shareOf = (id: string, kind: "ping" | "readRegisters" = "readRegisters"): string =>
  fairShare({
    caller: { id, roles: [] },
    operation: kind === "ping" ? { kind, depth: "meter" } : { kind },
  });

describe("the share that a job counts as", () => {
  it("is its caller's; his pings are another", () => {
    expect(shareOf("mdm")).toBe("mdm");
    expect(shareOf("mdm", "ping")).toBe("mdm~ping");
  });

  it.each(["a b/ü", "x".repeat(256), "0e7c-11", "|@|"])("is what a message takes: %s", (id) => {
    for (const kind of ["ping", "readRegisters"] as const)
      expect(WorkItem.shape.share.safeParse(shareOf(id, kind)).success).toBe(true);
  });
});
