import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../support/control-plane.ts";
import { run } from "../support/cox.ts";
import { Kubectl } from "../support/kubectl.ts";

// Objects that kubectl makes out of command lines. It sends them in protobuf.

let cluster: TestCluster;
let kubectl: Kubectl;
let folder: string;

beforeAll(async () => {
  cluster = await TestCluster.start({ simulated: 2 });
  kubectl = new Kubectl(cluster.kubeconfig);
  folder = mkdtempSync(join(tmpdir(), "cox-generators-"));
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Until the condition holds; the test's own time limit bounds it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 200));
}

describe("kubectl create", () => {
  test.each<[string, string, object]>([
    ["configmap made --from-literal=a=1 --from-literal=b=", "configmap/made", { data: { a: "1", b: "" } }],
    [
      "secret generic made --from-literal=password=hunter2",
      "secret/made",
      { type: "Opaque", data: { password: Buffer.from("hunter2").toString("base64") } },
    ],
    [
      "secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p",
      "secret/pull",
      { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": expect.any(String) } },
    ],
    ["namespace blue", "namespace/blue", { spec: { finalizers: ["kubernetes"] } }],
    ["serviceaccount robot", "serviceaccount/robot", { metadata: { name: "robot", namespace: "default" } }],
    [
      "deployment web --image=example/web:1 --replicas=2 --port=8080 -- serve --fast",
      "deployment.apps/web",
      {
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: "web" } },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
          template: {
            spec: {
              containers: [
                {
                  name: "web",
                  image: "example/web:1",
                  command: ["serve", "--fast"],
                  ports: [{ containerPort: 8080, protocol: "TCP" }],
                },
              ],
            },
          },
        },
      },
    ],
    [
      "service clusterip inner --tcp=80:8080",
      "service/inner",
      { spec: { type: "ClusterIP", ports: [{ name: "80-8080", port: 80, targetPort: 8080, protocol: "TCP" }] } },
    ],
    ["service clusterip headless --clusterip=None --tcp=80", "service/headless", { spec: { clusterIP: "None" } }],
    [
      "service nodeport outer --tcp=80:web --node-port=30321",
      "service/outer",
      { spec: { type: "NodePort", ports: [{ port: 80, targetPort: "web", nodePort: 30321 }] } },
    ],
    ["service loadbalancer balanced --tcp=80", "service/balanced", { spec: { type: "LoadBalancer" } }],
    [
      "service externalname elsewhere --external-name=example.com",
      "service/elsewhere",
      { spec: { type: "ExternalName", externalName: "example.com" } },
    ],
    [
      "role reader --verb=get,list --resource=pods,deployments.apps --resource-name=one",
      "role.rbac.authorization.k8s.io/reader",
      {
        rules: [
          { verbs: ["get", "list"], apiGroups: [""], resources: ["pods"], resourceNames: ["one"] },
          { verbs: ["get", "list"], apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["one"] },
        ],
      },
    ],
    [
      "clusterrole prober --verb=get --non-resource-url=/healthz",
      "clusterrole.rbac.authorization.k8s.io/prober",
      { rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] },
    ],
    [
      "clusterrole gathered --aggregation-rule=a=b",
      "clusterrole.rbac.authorization.k8s.io/gathered",
      { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } },
    ],
    [
      "rolebinding readers --role=reader --user=ann --group=staff --serviceaccount=default:robot",
      "rolebinding.rbac.authorization.k8s.io/readers",
      {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
        subjects: [
          { kind: "User", name: "ann", apiGroup: "rbac.authorization.k8s.io" },
          { kind: "Group", name: "staff", apiGroup: "rbac.authorization.k8s.io" },
          { kind: "ServiceAccount", name: "robot", namespace: "default" },
        ],
      },
    ],
    [
      "clusterrolebinding probers --clusterrole=prober --user=ann",
      "clusterrolebinding.rbac.authorization.k8s.io/probers",
      { roleRef: { kind: "ClusterRole", name: "prober" } },
    ],
    [
      "quota limits --hard=cpu=1500m,memory=1024Mi,pods=40 --namespace=kube-public",
      "resourcequota/limits",
      { spec: { hard: { cpu: "1500m", memory: "1Gi", pods: "40" } } },
    ],
    [
      "poddisruptionbudget half --selector=app=half --min-available=50%",
      "poddisruptionbudget.policy/half",
      { spec: { minAvailable: "50%", selector: { matchLabels: { app: "half" } } } },
    ],
    [
      "poddisruptionbudget one --selector=app=one --max-unavailable=1",
      "poddisruptionbudget.policy/one",
      { spec: { maxUnavailable: 1 } },
    ],
    [
      "priorityclass high --value=1000 --description=first --preemption-policy=Never",
      "priorityclass.scheduling.k8s.io/high",
      { value: 1000, description: "first", preemptionPolicy: "Never" },
    ],
    [
      "ingress front --class=none --rule=example.com/path*=inner:80,tls=cert --annotation=a=b",
      "ingress.networking.k8s.io/front",
      {
        metadata: { annotations: { a: "b" } },
        spec: {
          ingressClassName: "none",
          tls: [{ hosts: ["example.com"], secretName: "cert" }],
          rules: [
            {
              host: "example.com",
              http: {
                paths: [
                  { path: "/path", pathType: "Prefix", backend: { service: { name: "inner", port: { number: 80 } } } },
                ],
              },
            },
          ],
        },
      },
    ],
    [
      "job once --image=example/job -- work",
      "job.batch/once",
      { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "once", command: ["work"] }] } } } },
    ],
    [
      "cronjob nightly --image=example/job --schedule=@daily --restart=OnFailure",
      "cronjob.batch/nightly",
      {
        spec: {
          schedule: "@daily",
          jobTemplate: { spec: { template: { spec: { restartPolicy: "OnFailure" } } } },
        },
      },
    ],
  ])("%s", async (commandLine, name, expected) => {
    expect(await kubectl.run(`create ${commandLine}`)).toBe(`${name} created\n`);
    const namespace = /--namespace=\S+/.exec(commandLine)?.[0] ?? "";
    const object = await kubectl.get(`${name} ${namespace}`.trim());
    expect(object).toMatchObject(expected);
    expect(object.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await kubectl.run(`delete ${name} --wait=false ${namespace}`.trim())).toMatch(/ deleted/);
  });

  test("secret tls takes a pair of files as bytes", async () => {
    const made = await run("openssl", [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=example.com -days 1".split(" "),
      ...["-keyout", join(folder, "key"), "-out", join(folder, "cert")],
    ]);
    expect(made.code, made.stderr).toBe(0);
    await kubectl.run(`create secret tls pair --cert=${folder}/cert --key=${folder}/key`);
    const { type, data } = await kubectl.get("secret pair");
    expect(type).toBe("kubernetes.io/tls");
    expect(Buffer.from(data["tls.crt"], "base64").toString()).toContain("BEGIN CERTIFICATE");
  });

  test("configmap of a file that is no text keeps its bytes", async () => {
    const bytes = Buffer.from([0, 255, 254, 1, 128]);
    writeFileSync(join(folder, "binary"), bytes);
    await kubectl.run(`create configmap binary --from-file=${folder}/binary`);
    expect((await kubectl.get("configmap binary")).binaryData).toEqual({ binary: bytes.toString("base64") });
  });

  test("job from a CronJob is the CronJob's", async () => {
    await kubectl.run("create cronjob hourly --image=example/job --schedule=@hourly");
    await kubectl.run("create job now --from=cronjob/hourly");
    const { metadata } = await kubectl.get("job now");
    expect(metadata.ownerReferences).toMatchObject([{ kind: "CronJob", name: "hourly" }]);
    expect(metadata.annotations).toMatchObject({ "cronjob.kubernetes.io/instantiate": "manual" });
  });

  test("dry runs and refusals", async () => {
    expect(await kubectl.run("create deployment dry --image=x --dry-run=server")).toBe(
      "deployment.apps/dry created (server dry run)\n",
    );
    await kubectl.run("create namespace twice");
    expect(await kubectl.refused("create namespace twice")).toContain('namespaces "twice" already exists');
    expect(await kubectl.refused("create configmap Not_A_Name")).toContain(
      'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value',
    );
  });
});

describe("commands that make an object for another", () => {
  test("run makes a Pod, which runs", async () => {
    await kubectl.run("run single --image=example/web --port=80 --env=A=1 --labels=app=single --expose");
    const pod = await kubectl.get("pod single");
    expect(pod.spec.containers).toMatchObject([
      { name: "single", image: "example/web", env: [{ name: "A", value: "1" }], ports: [{ containerPort: 80 }] },
    ]);
    expect((await kubectl.get("service single")).spec).toMatchObject({ ports: [{ port: 80, targetPort: 80 }] });
    await kubectl.run("wait pod single --for=condition=Ready --timeout=30s");
    await kubectl.run("delete pod,service single --timeout=30s");
  });

  test("expose, autoscale, scale and set a Deployment", async () => {
    await kubectl.run("create deployment shown --image=example/web:1 --port=8080");
    expect(await kubectl.run("expose deployment shown --port=80 --target-port=8080 --type=NodePort")).toBe(
      "service/shown exposed\n",
    );
    expect((await kubectl.get("service shown")).spec).toMatchObject({
      type: "NodePort",
      selector: { app: "shown" },
      ports: [{ port: 80, targetPort: 8080 }],
    });
    await kubectl.run("autoscale deployment shown --min=1 --max=3 --cpu-percent=80");
    expect((await kubectl.get("hpa shown")).spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 3,
      scaleTargetRef: { kind: "Deployment", name: "shown" },
    });
    await kubectl.run("scale deployment shown --replicas=2 --timeout=30s");
    await kubectl.run("set image deployment/shown web=example/web:2");
    await kubectl.run("rollout status deployment/shown --timeout=60s");
    expect((await kubectl.get("deployment shown")).status).toMatchObject({ replicas: 2, readyReplicas: 2 });
  });

  test("drain evicts", async () => {
    await kubectl.run("create deployment moved --image=example/web --replicas=2");
    await kubectl.run("rollout status deployment/moved --timeout=60s");
    const placed = await kubectl.get("pods -l app=moved");
    const node: string = placed.items[0].spec.nodeName;
    await kubectl.run(`drain ${node} --ignore-daemonsets --force --timeout=60s`);
    expect((await kubectl.get(`node ${node}`)).spec.unschedulable).toBe(true);
    await kubectl.run("rollout status deployment/moved --timeout=60s");
    const moved = await kubectl.get("pods -l app=moved");
    expect(moved.items.map((pod: any) => pod.spec.nodeName)).not.toContain(node);
    await kubectl.run(`uncordon ${node}`);
  });

  test("delete with a grace period, with orphans, and by force", async () => {
    await kubectl.run("create deployment gone --image=example/web");
    await until(async () => (await kubectl.get("replicasets -l app=gone")).items.length === 1);
    await kubectl.run("delete deployment gone --cascade=orphan --timeout=30s");
    expect((await kubectl.get("replicasets -l app=gone")).items).toHaveLength(1);
    await kubectl.run("delete replicasets -l app=gone --timeout=30s");
    await kubectl.run("run forced --image=example/web");
    await kubectl.run("delete pod forced --force --grace-period=0");
    expect(await kubectl.refused("get pod forced")).toContain('pods "forced" not found');
  });
});

describe("a List", () => {
  const configMap = (name: string, more: object = {}) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { a: "1" },
    ...more,
  });
  const list = (...items: object[]) => ({ apiVersion: "v1", kind: "List", items });

  test("is validated before any of it is sent, and applied", async () => {
    expect(await kubectl.run("apply -f -", list(configMap("first"), configMap("second")))).toBe(
      "configmap/first created\nconfigmap/second created\n",
    );
    const refused = await kubectl.refused("apply -f -", list(configMap("third"), configMap("odd", { colour: "blue" })));
    expect(refused).toMatch(/unknown field "colour"/);
    await kubectl.refused("get configmap third");
  });

  test("explain in the form of OpenAPI v2 knows fields and their types", async () => {
    expect(await kubectl.run("explain deployment.spec.strategy --output=plaintext-openapiv2")).toMatch(
      /KIND: +Deployment\nVERSION: +apps\/v1\n\nRESOURCE: strategy <Object>[\s\S]*rollingUpdate\t<Object>[\s\S]*type\t<string>/,
    );
  });
});
