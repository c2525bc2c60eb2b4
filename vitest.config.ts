import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{shared,functions,infra,web,test}/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
