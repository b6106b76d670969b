import { defineConfig } from "vitest/config";

/** Each project is one power of test (CONTRIBUTING, "Which test?"); `scripts/test.ts` runs them in order. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "{api,worker,durable-objects,node-agent,cli,scripts}/**/*.test.ts",
            "test/{simulation,support}/**/*.test.ts",
          ],
          environment: "node",
        },
      },
      {
        test: {
          name: "workerd",
          include: ["test/{workerd,fuzz}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "kubectl",
          include: ["test/kubectl/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "clients",
          include: ["test/clients/**/*.test.ts"],
          globalSetup: ["test/clients/build-programs.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "containers",
          include: ["test/containers/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
