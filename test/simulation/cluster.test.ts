import { test, vi } from "vitest";

vi.mock("cloudflare:sockets", () => ({ connect: () => Promise.reject(new Error("there is no network here")) }));
vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    readonly ctx: unknown;
    readonly env: unknown;
    constructor(ctx: unknown, env: unknown) {
      this.ctx = ctx;
      this.env = env;
    }
  },
}));

import type { Classes } from "../support/simulated-objects.ts";
import { Simulation } from "../support/simulation.ts";

/** `SIMULATE_SEED=17 vitest run --project unit test/simulation/cluster` runs one seed again; `SIMULATE_SEEDS=500` more of them. */
const ONLY = process.env["SIMULATE_SEED"];
const SEEDS = Number(process.env["SIMULATE_SEEDS"] ?? 50);

/** The very classes that run on the platform. Their types are the platform's, which are not known here: hence by name. */
async function classOf(file: string, name: string): Promise<Classes[string]> {
  return (await import(`../../durable-objects/${file}.ts`))[name];
}
const CLASSES: Classes = {
  NAMESPACE_HOME: await classOf("namespace", "NamespaceHome"),
  CLUSTER_HOME: await classOf("cluster", "ClusterHome"),
  TIMELINE: await classOf("timeline", "Timeline"),
  SCHEDULER: await classOf("scheduler", "Scheduler"),
};

const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)];

test.each(seeds)(
  "a cluster whose objects are lost and whose nodes go comes to what was asked for, SIMULATE_SEED=%i",
  async (seed) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    try {
      await new Simulation(CLASSES, seed).run();
    } finally {
      warn.mockRestore();
      error.mockRestore();
    }
  },
);

test("Services stop sending to a node that is lost before its pods are evicted, and send again when it is back", async () => {
  await new Simulation(CLASSES, 0).runLostNode();
});
