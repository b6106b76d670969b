import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { Kubectl } from "../support/kubectl.ts";

// Who owns which field of an object, as a user of `kubectl apply` meets it.

let cluster: TestCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await TestCluster.start();
  kubectl = new Kubectl(cluster.kubeconfig);
});

afterAll(async () => {
  await cluster?.stop();
});

const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

const deployment = (name: string, { replicas, image }: { replicas?: number; image: string }) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    ...(replicas !== undefined && { replicas }),
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "web", image }] } },
  },
});

interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
}

/** The managers of an object by name; it shows them by the second of their last write. */
const managersOf = async (what: string): Promise<string[]> => {
  const object = JSON.parse(await kubectl.run(`get ${what} -o json --show-managed-fields`));
  return (object.metadata.managedFields as Entry[])
    .map(({ manager, operation, subresource }) => [manager, operation, subresource].filter(Boolean).join(" "))
    .sort();
};

describe("kubectl apply --server-side", () => {
  test("creates, says so, and shows its fields when asked", async () => {
    const applied = await kubectl.run("apply --server-side -f -", configMap("first", { a: "1" }));
    expect(applied).toBe("configmap/first serverside-applied\n");
    expect(await kubectl.run("get configmap first -o yaml")).not.toContain("managedFields");
    const shown = await kubectl.run("get configmap first -o yaml --show-managed-fields");
    expect(shown).toMatch(
      / {2}managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1\n {4}fieldsV1:\n {6}f:data:\n {8}f:a: \{\}\n {4}manager: kubectl\n {4}operation: Apply\n {4}time: "[^"]+"\n/,
    );
  });

  test("a second time changes nothing", async () => {
    const config = deployment("same", { replicas: 1, image: "web:1" });
    await kubectl.run("apply --server-side -f -", config);
    const { metadata } = await kubectl.get("deployment same");
    await kubectl.run("apply --server-side -f -", config);
    const after = await kubectl.get("deployment same");
    expect(after.metadata.generation).toBe(metadata.generation);
    expect(after.metadata.uid).toBe(metadata.uid);
  });

  test("takes away what it no longer says", async () => {
    await kubectl.run("apply --server-side -f -", configMap("less", { a: "1", b: "1" }));
    await kubectl.run("apply --server-side -f -", configMap("less", { a: "1" }));
    expect((await kubectl.get("configmap less")).data).toEqual({ a: "1" });
  });

  test("is refused where another manager owns a field, until it is forced", async () => {
    await kubectl.run("apply --server-side --field-manager=team-a -f -", configMap("shared", { k: "a" }));
    const apply = "apply --server-side --field-manager=team-b";
    const refused = await kubectl.refused(`${apply} -f -`, configMap("shared", { k: "b" }));
    expect(refused).toMatch(/^error: Apply failed with 1 conflict: conflict with "team-a": \.data\.k\n/);
    expect(refused).toContain("--force-conflicts");
    const forced = await kubectl.run(`${apply} --force-conflicts -f -`, configMap("shared", { k: "b" }));
    expect(forced).toBe("configmap/shared serverside-applied\n");
    expect(await managersOf("configmap shared")).toEqual(["team-b Apply"]);
  });

  test("does not scale back what was scaled, as long as it names no replicas", async () => {
    await kubectl.run("apply --server-side -f -", deployment("scaled", { replicas: 1, image: "web:1" }));
    await kubectl.run("scale deployment scaled --replicas=3");
    expect(await managersOf("deployment scaled")).toContain("kubectl Update scale");
    const refused = await kubectl.refused(
      "apply --server-side -f -",
      deployment("scaled", { replicas: 1, image: "web:2" }),
    );
    expect(refused).toMatch(
      /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/,
    );
    await kubectl.run("apply --server-side -f -", deployment("scaled", { image: "web:2" }));
    const { spec } = await kubectl.get("deployment scaled");
    expect(spec.replicas).toBe(3);
    expect(spec.template.spec.containers[0].image).toBe("web:2");
  });

  test("tells of fields that the schema does not know", async () => {
    const wrong = { ...configMap("wrong", {}), spec: {} };
    expect(await kubectl.refused("apply --server-side --validate=false -f -", wrong)).toMatch(
      /failed to create typed patch object \(default\/wrong; \/v1, Kind=ConfigMap\): \.spec: field not declared in schema/,
    );
  });

  test("as a dry run stores nothing, and diff shows what it would do", async () => {
    await kubectl.run("apply --server-side -f -", configMap("dry", { k: "1" }));
    const dry = await kubectl.run("apply --server-side --dry-run=server -f -", configMap("dry", { k: "2" }));
    expect(dry).toBe("configmap/dry serverside-applied (server dry run)\n");
    const { code, stdout } = await kubectl.try(
      ["diff", "--server-side", "-f", "-"],
      JSON.stringify(configMap("dry", { k: "3" })),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/-\s+k: "1"\n\+\s+k: "3"/);
    expect((await kubectl.get("configmap dry")).data).toEqual({ k: "1" });
  });
});

describe("from client-side to server-side", () => {
  test("kubectl goes on with what it has applied, and may take it away", async () => {
    await kubectl.run("apply -f -", configMap("moved", { a: "1", b: "1" }));
    expect(await managersOf("configmap moved")).toEqual(["kubectl-client-side-apply Update"]);
    await kubectl.run("apply --server-side -f -", configMap("moved", { a: "2" }));
    expect((await kubectl.get("configmap moved")).data).toEqual({ a: "2" });
    const managers = await managersOf("configmap moved");
    expect(managers).toContain("kubectl Apply");
    expect(managers).not.toContain("kubectl-client-side-apply Update");
  });

  test("another manager conflicts with it", async () => {
    await kubectl.run("apply -f -", configMap("other", { a: "1" }));
    expect(
      await kubectl.refused("apply --server-side --field-manager=argo -f -", configMap("other", { a: "2" })),
    ).toMatch(/^error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: \.data\.a\n/);
  });

  test("client-side applies still merge three ways", async () => {
    await kubectl.run("apply -f -", configMap("three", { a: "1", b: "1" }));
    await kubectl.try(["patch", "configmap", "three", "-p", '{"data":{"c":"1"}}']);
    expect(await kubectl.run("apply -f -", configMap("three", { a: "2" }))).toBe("configmap/three configured\n");
    expect((await kubectl.get("configmap three")).data).toEqual({ a: "2", c: "1" });
    expect(await managersOf("configmap three")).toEqual(["kubectl-client-side-apply Update", "kubectl-patch Update"]);
  });
});

test("controllers' changes are noted as theirs", async () => {
  await kubectl.run("create deployment noted --image=web:1");
  await kubectl.run("wait --for=create pod -l app=noted --timeout=60s");
  const pods = JSON.parse(await kubectl.run("get pod -l app=noted -o json --show-managed-fields"));
  expect(pods.items[0].metadata.managedFields[0]).toMatchObject({
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "v1",
  });
  expect(await managersOf("deployment noted")).toEqual(
    expect.arrayContaining(["kubectl-create Update", "kube-controller-manager Update status"]),
  );
});
