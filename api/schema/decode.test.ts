import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryObject } from "../../test/support/arbitrary-object.ts";
import { findKind } from "../kinds.ts";
import { ApiError } from "../status.ts";
import { decodeText, decodeValue, type FieldValidation, type Gvk } from "./decode.ts";

const kind = (group: string, version: string, resource: string): Gvk => findKind(group, version, resource)!;
const deployment = kind("apps", "v1", "deployments");
const configMap = kind("", "v1", "configmaps");
const pod = kind("", "v1", "pods");
const secret = kind("", "v1", "secrets");

const decode = (info: Gvk, value: unknown, fieldValidation?: FieldValidation) =>
  decodeText(info, typeof value === "string" ? value : JSON.stringify(value), fieldValidation);

function refusal(info: Gvk, value: unknown, fieldValidation?: FieldValidation): { code: number; message: string } {
  try {
    decode(info, value, fieldValidation);
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("was accepted");
}

const cannot = (kind: string, why: string) => ({
  code: 400,
  message: `${kind} in version "v1" cannot be handled as a ${kind}: ${why}`,
});

describe("values of a wrong type", () => {
  test.each([
    [deployment, { spec: { replicas: "x" } }, "string", "DeploymentSpec.spec.replicas of type int32"],
    [deployment, { spec: { replicas: 1.5 } }, "number 1.5", "DeploymentSpec.spec.replicas of type int32"],
    [deployment, { spec: { replicas: 2147483648 } }, "number 2147483648", "DeploymentSpec.spec.replicas of type int32"],
    [deployment, { spec: [] }, "array", "Deployment.spec of type v1.DeploymentSpec"],
    [
      deployment,
      { spec: { template: { spec: { containers: {} } } } },
      "object",
      "PodSpec.spec.template.spec.containers of type []v1.Container",
    ],
    [configMap, { data: { a: 1 } }, "number", "ConfigMap.data of type string"],
    [configMap, { metadata: { labels: "x" } }, "string", "ObjectMeta.metadata.labels of type map[string]string"],
    [configMap, { immutable: "yes" }, "string", "ConfigMap.immutable of type bool"],
    [pod, { spec: { restartPolicy: 1 } }, "number", "PodSpec.spec.restartPolicy of type v1.RestartPolicy"],
    [
      pod,
      { spec: { containers: [{ name: "a", env: [{ name: "A", value: true }] }] } },
      "bool",
      "EnvVar.spec.containers.env.value of type string",
    ],
    [
      pod,
      { spec: { containers: [{ livenessProbe: { httpGet: { port: true } } }] } },
      "bool",
      "HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
    ],
    [pod, { spec: { overhead: "x" } }, "string", "PodSpec.spec.overhead of type v1.ResourceList"],
  ])("%o %j", (info, value, what, where) => {
    const why = `json: cannot unmarshal ${what} into Go struct field ${where}`;
    expect(refusal(info, value)).toEqual(cannot(info.kind, why));
  });

  test("the first of several is told", () => {
    expect(refusal(configMap, { immutable: 1, data: 5 }).message).toContain("ConfigMap.immutable");
  });

  test("a type error outweighs an unknown field", () => {
    expect(refusal(configMap, { foo: 1, data: 5 }, "Strict").message).toContain("cannot unmarshal number");
  });

  test("a quantity, a time and bytes that cannot be read are refused in their own words", () => {
    const limits = { spec: { containers: [{ name: "a", resources: { limits: { cpu: "1x2" } } }] } };
    expect(refusal(pod, limits).message).toMatch(/cannot be handled as a Pod: (quantities must match|unable to parse)/);
    expect(refusal(pod, { metadata: { creationTimestamp: "foo" } })).toEqual(
      cannot("Pod", 'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"'),
    );
    expect(refusal(secret, { data: { a: "!!" } })).toEqual(cannot("Secret", "illegal base64 data at input byte 0"));
  });
});

describe("unknown and repeated fields", () => {
  const value = { spec: { foo: 1, template: { spec: { containers: [{ name: "a", bar: 1 }] } } } };
  const texts = ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[0].bar"'];

  test("are pruned and told as warnings by default", () => {
    const { object, warnings } = decode(deployment, value);
    expect(warnings).toEqual(texts);
    expect(object["spec"].foo).toBeUndefined();
    expect(object["spec"].template.spec.containers[0].bar).toBeUndefined();
  });

  test("are refused where validation is strict", () => {
    expect(refusal(deployment, value, "Strict")).toEqual(
      cannot("Deployment", `strict decoding error: ${texts.join(", ")}`),
    );
  });

  test("are pruned silently where validation is ignored", () => {
    expect(decode(deployment, value, "Ignore").warnings).toEqual([]);
  });

  test("a field given twice counts, and the last one wins", () => {
    const text = '{"data":{"a":"1","a":"2"}}';
    expect(decode(configMap, text)).toMatchObject({
      object: { data: { a: "2" } },
      warnings: ['duplicate field "data.a"'],
    });
    expect(refusal(configMap, text, "Strict")).toEqual(
      cannot("ConfigMap", 'strict decoding error: duplicate field "data.a"'),
    );
  });

  test("names are told from their case", () => {
    expect(decode(configMap, { Data: {} }).warnings).toEqual(['unknown field "Data"']);
  });

  test("a key named __proto__ stays data", () => {
    const { object } = decode(configMap, '{"data":{"__proto__":"x","constructor":"y"}}', "Strict");
    expect(Object.entries(object["data"])).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(decode(configMap, '{"data":{"__proto__":null}}').object["data"]).toHaveProperty("__proto__", "");
  });
});

describe("kind and apiVersion", () => {
  test("are taken from the address where they are missing", () => {
    expect(decode(configMap, {}).object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    expect(decode(configMap, "null").object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  });

  test("of another kind are refused", () => {
    expect(refusal(pod, { kind: "Service", apiVersion: "v1" }).message).toBe(
      'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
    );
    expect(refusal(pod, { kind: "Foo", apiVersion: "v1" }).message).toBe(
      'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    );
  });

  test("of another version of the kind are refused", () => {
    const autoscaler = kind("autoscaling", "v2", "horizontalpodautoscalers");
    expect(refusal(autoscaler, { kind: "HorizontalPodAutoscaler", apiVersion: "autoscaling/v1" }).message).toBe(
      "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)",
    );
  });

  test("of a wrong type are no object", () => {
    expect(refusal(pod, { kind: 5 }).message).toBe(
      'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})',
    );
  });
});

describe("normal form", () => {
  test("nulls and omitted zeros go, structs that are always written come", () => {
    const { object } = decode(deployment, {
      metadata: { name: "a", labels: {}, creationTimestamp: null, annotations: null },
      spec: {
        replicas: 0,
        paused: false,
        minReadySeconds: 0,
        selector: null,
        template: { spec: { containers: [{ name: "c", env: [], args: null }], nodeSelector: {} } },
      },
    });
    expect(object).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
      spec: {
        replicas: 0,
        strategy: {},
        template: { metadata: {}, spec: { containers: [{ name: "c", resources: {} }] } },
      },
      status: {},
    });
  });

  test("null in a map is the empty value, a null quantity is zero", () => {
    expect(decode(configMap, { data: { a: null } }).object["data"]).toEqual({ a: "" });
    const { object } = decode(pod, { spec: { overhead: { cpu: null } } });
    expect(object["spec"].overhead).toEqual({ cpu: "0" });
  });

  test("quantities, times and bytes are canonical", () => {
    const { object } = decode(pod, {
      metadata: { deletionTimestamp: "2025-03-01T12:00:00.5+02:00" },
      spec: { containers: [{ name: "a", resources: { limits: { cpu: 1, memory: "1024Mi" } } }] },
    });
    expect(object.metadata.deletionTimestamp).toBe("2025-03-01T10:00:00Z");
    expect(object["spec"].containers[0].resources.limits).toEqual({ cpu: "1", memory: "1Gi" });
    expect(decode(secret, { data: { a: "YWFh\nYWFh" } }).object["data"]).toEqual({ a: "YWFhYWFh" });
  });

  const kinds: [string, Gvk][] = [
    configMap,
    secret,
    pod,
    deployment,
    kind("", "v1", "services"),
    kind("batch", "v1", "cronjobs"),
  ].map((info) => [info.kind, info]);
  test.each(kinds)("decoding a decoded %s changes nothing", (_, info) => {
    fc.assert(
      fc.property(arbitraryObject(info), (value) => {
        const once = decodeValue(info, structuredClone(value));
        expect(once.strictErrors).toEqual([]);
        const text = JSON.stringify(once.object);
        const again = decodeText(info, text, "Strict");
        expect(JSON.stringify(again.object)).toBe(text);
      }),
      { numRuns: 50 },
    );
  });
});
