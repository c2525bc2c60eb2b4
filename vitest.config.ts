import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{shared,functions,infra,web,test}/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    expect: { poll: { timeout: 15_000 } }, // a machine that does much else at once is slow, not wrong
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
