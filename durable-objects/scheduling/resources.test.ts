import { describe, expect, test } from "vitest";
import { podRequests } from "./resources.ts";

const container = (requests: Record<string, string>, more = {}) => ({ resources: { requests }, ...more });
const sidecar = (requests: Record<string, string>) => container(requests, { restartPolicy: "Always" });

describe("what a pod requests", () => {
  const cases: { name: string; spec: any; cpu: number; memory?: number }[] = [
    { name: "nothing", spec: { containers: [container({})] }, cpu: 0 },
    {
      name: "the sum of its containers",
      spec: { containers: [container({ cpu: "1", memory: "1Ki" }), container({ cpu: "250m" })] },
      cpu: 1250,
      memory: 1024,
    },
    {
      name: "what one init container needs, where that is more",
      spec: {
        containers: [container({ cpu: "1" })],
        initContainers: [container({ cpu: "3" }), container({ cpu: "2" })],
      },
      cpu: 3000,
    },
    {
      name: "sidecars beside the containers",
      spec: { containers: [container({ cpu: "1" })], initContainers: [sidecar({ cpu: "500m" })] },
      cpu: 1500,
    },
    {
      name: "an init container beside the sidecars started before it alone",
      spec: {
        containers: [container({ cpu: "1" })],
        initContainers: [sidecar({ cpu: "1" }), container({ cpu: "4" }), sidecar({ cpu: "1" })],
      },
      cpu: 5000,
    },
    {
      name: "its own requests instead of its containers'",
      spec: { containers: [container({ cpu: "1", memory: "1Ki" })], resources: { requests: { cpu: "2" } } },
      cpu: 2000,
      memory: 1024,
    },
    {
      name: "the overhead of its runtime",
      spec: { containers: [container({ cpu: "1" })], overhead: { cpu: "10m", memory: "5" } },
      cpu: 1010,
      memory: 5,
    },
  ];
  test.each(cases)("$name", ({ spec, cpu, memory = 0 }) => {
    const requests = podRequests(spec);
    expect(requests.milliCpu).toBe(cpu);
    expect(requests.memory).toBe(memory);
  });

  test("what a container does not name is assumed for scoring, what it names is not", () => {
    const spec = { containers: [container({ cpu: "1" }), container({ memory: "7" })] };
    const { milliCpu, memory } = podRequests(spec, { milliCpu: 100, memory: 200 });
    expect({ milliCpu, memory }).toEqual({ milliCpu: 1100, memory: 207 });
  });
});
