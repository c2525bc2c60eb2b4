import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "{shared,functions,infra,web}/**/*.test.ts",
      "test/{contract,simulation,e2e,peers}/**/*.test.ts",
      "test/*.test.ts",
    ],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
