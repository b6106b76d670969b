import { describe, expect, test } from "vitest";
import { CERTIFICATE_REQUEST } from "../../test/support/certificate-request.ts";
import { testHome } from "../../test/support/home.ts";

const RESOURCES = { requests: { cpu: "100m" }, limits: { cpu: "200m" } };
const pod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "c", image: "busybox", resources: RESOURCES }], ...spec },
});
const merge = { patchType: "merge" as const };
const messageOf = (answer: { body: { message?: string } }) => answer.body.message ?? "";

describe("ephemeral containers", () => {
  const debug = (name: string, image = "busybox") => ({ name, image });

  test("come, and the rest of the pod stays", async () => {
    const { ask } = testHome();
    const created = (await ask("create", "pods", { object: pod("a") })).body;
    const spec = { ...created.spec, ephemeralContainers: [debug("d")], nodeSelector: { a: "b" } };
    const answer = await ask("update", "pods/a/ephemeralcontainers", { object: { ...created, spec } });
    expect(answer.code).toBe(200);
    expect(answer.body.spec.ephemeralContainers).toMatchObject([{ name: "d", terminationMessagePolicy: "File" }]);
    expect(answer.body.spec.nodeSelector).toBeUndefined();
    expect(answer.body.metadata.generation).toBe(2);
  });

  test("neither go nor change, and have names of their own", async () => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("a") });
    const patch = (ephemeralContainers: object[]) =>
      ask("patch", "pods/a/ephemeralcontainers", { ...merge, object: { spec: { ephemeralContainers } } });
    expect((await patch([debug("d")])).code).toBe(200);
    expect(messageOf(await patch([]))).toContain('existing ephemeral containers "d" may not be removed');
    expect(messageOf(await patch([debug("d", "other")]))).toContain(
      'existing ephemeral containers "d" may not be changed',
    );
    expect(messageOf(await patch([debug("d"), debug("c")]))).toContain(
      'spec.ephemeralContainers[1].name: Duplicate value: "c"',
    );
  });
});

describe("resize", () => {
  const resized = (cpu: string, more: object = {}) => ({
    spec: {
      containers: [{ name: "c", image: "other", resources: { requests: { cpu }, limits: { cpu: "200m" }, ...more } }],
    },
  });
  const patch = (object: object) => ({ ...merge, object });

  test("changes cpu, and nothing that is not a resource", async () => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("a") });
    const answer = await ask("patch", "pods/a/resize", patch(resized("150m")));
    expect(answer.body.spec.containers).toMatchObject([{ image: "busybox", resources: { requests: { cpu: "150m" } } }]);
    expect(answer.body.metadata.generation).toBe(2);
    expect((await ask("get", "pods/a/resize")).body.spec).toEqual(answer.body.spec);
  });

  test.each<[string, object]>([
    [
      "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
      resized("100m", { limits: {} }),
    ],
    [
      "Pod QOS Class may not change as a result of resizing",
      resized("200m", { requests: { cpu: "200m", memory: "1Mi" }, limits: { cpu: "200m", memory: "1Mi" } }),
    ],
    [
      "spec: Forbidden: only cpu and memory resources are mutable",
      resized("100m", {
        claims: [],
        limits: { cpu: "200m", "example.com/x": "1" },
        requests: { cpu: "100m", "example.com/x": "1" },
      }),
    ],
    [
      "spec.containers: Forbidden: containers may not be added or removed on resize",
      {
        spec: {
          containers: [
            { name: "c", image: "i" },
            { name: "d", image: "i" },
          ],
        },
      },
    ],
    [
      "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
      { spec: { containers: [{ name: "d", image: "i", resources: RESOURCES }] } },
    ],
  ])("is refused: %s", async (message, object) => {
    const { ask } = testHome();
    await ask("create", "pods", { object: pod("a") });
    const answer = await ask("patch", "pods/a/resize", patch(object));
    expect(answer.code).toBe(422);
    expect(messageOf(answer)).toContain(message);
  });
});

describe("approval of a certificate signing request", () => {
  const CSRS = "certificates.k8s.io/v1/certificatesigningrequests";
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "r" },
    spec: { request: CERTIFICATE_REQUEST, signerName: "example.com/signer", usages: ["client auth"] },
  };
  const decide = (...types: string[]) => ({
    ...merge,
    object: { status: { certificate: "YQ==", conditions: types.map((type) => ({ type, status: "True" })) } },
  });
  const home = () => testHome({ namespace: "" });

  test("changes conditions alone, and gives them times", async () => {
    const { ask } = home();
    await ask("create", CSRS, { object: request });
    const answer = await ask("patch", `${CSRS}/r/approval`, decide("Approved"));
    expect(answer.body.status).toEqual({
      conditions: [
        {
          type: "Approved",
          status: "True",
          lastUpdateTime: expect.any(String),
          lastTransitionTime: expect.any(String),
        },
      ],
    });
  });

  test("is one verdict, which stays, and which who signs cannot give", async () => {
    const { ask } = home();
    await ask("create", CSRS, { object: request });
    const both = await ask("patch", `${CSRS}/r/approval`, decide("Approved", "Denied"));
    expect(messageOf(both)).toContain("Approved and Denied conditions are mutually exclusive");
    const bySigner = await ask("patch", `${CSRS}/r/status`, decide("Approved"));
    expect(messageOf(bySigner)).toContain('updates may not add a condition of type "Approved"');
    expect((await ask("patch", `${CSRS}/r/approval`, decide("Denied"))).code).toBe(200);
    const removed = await ask("patch", `${CSRS}/r/approval`, decide());
    expect(messageOf(removed)).toContain('updates may not remove a condition of type "Denied"');
  });
});
