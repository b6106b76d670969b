import { expect, test } from "vitest";
import { describeFieldError } from "../field-error.ts";
import { kindByGvk, rulesOf } from "../kinds.ts";
import { decodeObject } from "../schema/decode.ts";

/** Dynamic resource allocation: what a v1.36.0 API server says of objects that are nearly right. */

type Fields = Record<string, any>;

function complete(kind: string, fields: Fields, version = "v1") {
  const info = kindByGvk("resource.k8s.io", version, kind)!;
  const { object } = decodeObject(info, { ...fields, metadata: { name: "a", ...fields["metadata"] } });
  const rules = rulesOf(info);
  rules.setDefaults?.(object);
  return { info, rules, object };
}

function complaints(kind: string, fields: Fields, version?: string): string[] {
  const { info, rules, object } = complete(kind, fields, version);
  return (rules.validate?.(object, info) ?? []).map(describeFieldError);
}

function changes(kind: string, fields: Fields, before: Fields): string[] {
  const { info, rules, object } = complete(kind, fields);
  const { object: previous } = complete(kind, before);
  return [...(rules.validate?.(object, info, previous) ?? []), ...(rules.validateUpdate?.(object, previous) ?? [])].map(
    describeFieldError,
  );
}

const request = (exactly: Fields = {}, more: Fields = {}) => ({
  name: "gpu",
  exactly: { deviceClassName: "gpu.example.com", ...exactly },
  ...more,
});
const claim = (devices: Fields) => ({ spec: { devices } });
const EXACTLY = "spec.devices.requests[0].exactly";
const NO_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const opaque = (parameters: unknown, driver = "d.example.com") => ({ opaque: { driver, parameters } });

test.each<[string, Fields]>([
  [
    "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
    { requests: [{ name: "r" }] },
  ],
  [
    "spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set",
    { requests: [request({}, { firstAvailable: [{ name: "a", deviceClassName: "c" }] })] },
  ],
  [`${EXACTLY}.deviceClassName: Required value`, { requests: [request({ deviceClassName: "" })] }],
  [
    `${EXACTLY}.count: Invalid value: 2: must not be specified when allocationMode is 'All'`,
    { requests: [request({ allocationMode: "All", count: 2 })] },
  ],
  [`${EXACTLY}.count: Invalid value: -1: must be greater than zero`, { requests: [request({ count: -1 })] }],
  [
    `${EXACTLY}.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"`,
    { requests: [request({ allocationMode: "Some" })] },
  ],
  [`${EXACTLY}.selectors[0].cel: Required value`, { requests: [request({ selectors: [{}] })] }],
  [
    `${EXACTLY}.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string`,
    { requests: [request({ selectors: [{ cel: { expression: "device.driver" } }] })] },
  ],
  [
    `${EXACTLY}.tolerations[0].value: Invalid value: "v": must be empty for operator \`Exists\``,
    { requests: [request({ tolerations: [{ key: "k", operator: "Exists", value: "v" }] })] },
  ],
  [`spec.devices.requests[1]: Duplicate value: "gpu"`, { requests: [request(), request()] }],
  [
    "spec.devices.requests: Too many: 33: must have at most 32 items",
    { requests: Array.from({ length: 33 }, (_, i) => request({}, { name: `r${i}` })) },
  ],
  [
    `spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set`,
    { requests: [request()], constraints: [{}] },
  ],
  [
    `spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash`,
    { requests: [request()], constraints: [{ matchAttribute: "model" }] },
  ],
  [
    `spec.devices.constraints[0].requests[0]: Invalid value: "other": ${NO_REQUEST}`,
    { requests: [request()], constraints: [{ requests: ["other"], matchAttribute: "a.example.com/model" }] },
  ],
  [
    `spec.devices.constraints[0].requests[0]: Invalid value: "a/b/c": ${NO_REQUEST}`,
    { requests: [request()], constraints: [{ requests: ["a/b/c"], matchAttribute: "a.example.com/model" }] },
  ],
  ["spec.devices.config[0].opaque: Required value", { config: [{}] }],
  [
    `spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object`,
    { config: [opaque(["x"])] },
  ],
  [
    "spec.devices.config[0].opaque.parameters: Too long: may not be more than 10240 bytes",
    { config: [opaque({ x: "x".repeat(10_240) })] },
  ],
])("a claim is refused: %s", (complaint, devices) => {
  expect(complaints("ResourceClaim", claim(devices))).toEqual([complaint]);
  expect(complaints("ResourceClaimTemplate", { spec: claim(devices) })).toEqual([
    complaint.replace("spec.", "spec.spec."),
  ]);
});

test("a claim may ask for devices in every way", () => {
  const expressions = [
    `device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model.startsWith("A")`,
    `device.capacity["gpu.example.com"].memory.compareTo(quantity("10Gi")) >= 0`,
    `device.attributes["gpu.example.com"].version.isGreaterThan(semver("1.0.0"))`,
    "device.allowMultipleAllocations",
    `device.attributes["gpu.example.com"].shiny`,
  ];
  const devices = {
    requests: [
      request({ selectors: expressions.map((expression) => ({ cel: { expression } })) }),
      {
        name: "any",
        firstAvailable: [
          { name: "big", deviceClassName: "c" },
          { name: "small", deviceClassName: "c", count: 2 },
        ],
      },
    ],
    constraints: [{ requests: ["gpu", "any/big"], matchAttribute: "gpu.example.com/numa" }],
    config: [{ requests: ["any"], ...opaque({ a: 1 }) }],
  };
  expect(complaints("ResourceClaim", claim(devices))).toEqual([]);
});

test("a selector is neither too long nor too dear", () => {
  const selectors = (expression: string) => claim({ requests: [request({ selectors: [{ cel: { expression } }] })] });
  const at = `${EXACTLY}.selectors[0].cel.expression`;
  expect(complaints("ResourceClaim", selectors(`"${"x".repeat(10_240)}" == ""`))).toEqual([
    `${at}: Too long: may not be more than 10240 bytes`,
  ]);
  const nested = `device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a + b + c + d != ""))))`;
  expect(complaints("ResourceClaim", selectors(nested))).toEqual([`${at}: Forbidden: too complex, exceeds cost limit`]);
});

test("what a claim asks for stays, and is not looked at again", () => {
  const before = claim({ requests: [request({ count: -1 })] });
  expect(changes("ResourceClaim", before, before)).toEqual([]);
  expect(changes("ResourceClaim", claim({ requests: [request()] }), before)).toEqual([
    expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
  ]);
});

const DEVICE = { driver: "d.example.com", pool: "p", device: "dev" };
const allocation = (results: Fields[]) => ({ allocation: { devices: { results } } });

test.each<[string, Fields, Fields?]>([
  [
    "status.reservedFor: Forbidden: may not be specified when `allocated` is not set",
    { reservedFor: [{ resource: "pods", name: "p", uid: "u" }] },
  ],
  [
    `status.reservedFor[1]: Duplicate value: "u"`,
    {
      ...allocation([{ request: "gpu", ...DEVICE }]),
      reservedFor: ["p", "q"].map((name) => ({ resource: "pods", name, uid: "u" })),
    },
  ],
  [
    `status.allocation.devices.results[0].request: Invalid value: "other": ${NO_REQUEST}`,
    allocation([{ request: "other", ...DEVICE }]),
  ],
  [
    `status.devices[0]: Invalid value: "d.example.com/p/other": must be an allocated device in the claim`,
    { ...allocation([{ request: "gpu", ...DEVICE }]), devices: [{ ...DEVICE, device: "other" }] },
  ],
  [
    `status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)`,
    { ...allocation([{ request: "gpu", ...DEVICE }]), devices: [{ ...DEVICE, networkData: { ips: ["10.0.0.1"] } }] },
  ],
])("a claim's status is refused: %s", (complaint, status) => {
  const { rules, object } = complete("ResourceClaim", { ...claim({ requests: [request()] }), status });
  const { object: previous } = complete("ResourceClaim", claim({ requests: [request()] }));
  expect(rules.validateStatusUpdate!(object, previous).map(describeFieldError)).toEqual([complaint]);
});

test("an allocation stays until it is taken back", () => {
  const of = (status: Fields) => complete("ResourceClaim", { ...claim({ requests: [request()] }), status }).object;
  const { rules } = complete("ResourceClaim", {});
  const [one, other] = ["a", "b"].map((device) => of(allocation([{ request: "gpu", ...DEVICE, device }])));
  expect(rules.validateStatusUpdate!(one!, one!)).toEqual([]);
  expect(rules.validateStatusUpdate!(of({}), one!)).toEqual([]);
  expect(rules.validateStatusUpdate!(other!, one!).map(describeFieldError)).toEqual([
    expect.stringMatching(/^status\.allocation: Invalid value: .*: field is immutable$/),
  ]);
});

const slice = (spec: Fields, devices?: Fields[]) => ({
  spec: {
    driver: "d.example.com",
    pool: { name: "p", resourceSliceCount: 1 },
    nodeName: "n",
    ...(devices && { devices }),
    ...spec,
  },
});
const device = (fields: Fields) => slice({}, [{ name: "dev", ...fields }]);
const ONE_WAY = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
const policy = (requestPolicy: Fields) =>
  device({ allowMultipleAllocations: true, capacity: { memory: { value: "10Gi", requestPolicy } } });
const POLICY = "spec.devices[0].capacity[memory].requestPolicy";

test.each<[string, Fields]>([
  ["spec.driver: Required value", slice({ driver: "" })],
  ["spec.pool.name: Required value", slice({ pool: { resourceSliceCount: 1 } })],
  ["spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero", slice({ pool: { name: "a/b" } })],
  [
    `spec: Required value: ${ONE_WAY}`,
    { spec: { driver: "d.example.com", pool: { name: "p", resourceSliceCount: 1 } } },
  ],
  [
    `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${ONE_WAY}, but multiple fields are set`,
    slice({ allNodes: true }),
  ],
  ["spec.allNodes: Invalid value: false: must be either unset or set to true", slice({ allNodes: false })],
  [`spec.devices[1]: Duplicate value: "a"`, slice({}, [{ name: "a" }, { name: "a" }])],
  [
    'spec.devices[0].attributes[x]: Invalid value: "": exactly one value must be specified',
    device({ attributes: { x: {} } }),
  ],
  [
    `spec.devices[0].attributes[x]: Invalid value: {"int":1,"string":"a"}: exactly one value must be specified`,
    device({ attributes: { x: { int: 1, string: "a" } } }),
  ],
  [
    `spec.devices[0].attributes[x].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0`,
    device({ attributes: { x: { version: "1.2" } } }),
  ],
  [
    "spec.devices[0].attributes[x].string: Too long: may not be more than 64 bytes",
    device({ attributes: { x: { string: "x".repeat(65) } } }),
  ],
  [
    "spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32",
    device({ attributes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, { bool: true }])) }),
  ],
  [
    `spec.devices[0].attributes: Invalid value: "": the domain must not be empty`,
    device({ attributes: { "/x": { int: 1 } } }),
  ],
  ["spec.devices[0].taints[0].effect: Required value", device({ taints: [{ key: "k" }] })],
  ["spec.devices[0].consumesCounters[0].counters: Required value", device({ consumesCounters: [{ counterSet: "c" }] })],
  [
    "spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions",
    device({ bindingConditions: ["a"] }),
  ],
  [
    "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec",
    device({ nodeName: "n" }),
  ],
  [
    "spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true",
    device({ capacity: { memory: { value: "1Gi", requestPolicy: { default: "1Gi" } } } }),
  ],
  [`${POLICY}.default: Required value: required when validValues is defined`, policy({ validValues: ["1Gi"] })],
  [
    `${POLICY}.validValues[1]: Invalid value: "1Gi": values must be sorted in ascending order`,
    policy({ default: "1Gi", validValues: ["2Gi", "1Gi"] }),
  ],
  [
    `${POLICY}.validRange.step: Invalid value: "2Gi": value is not a multiple of a given step (3Gi) from (1Gi)`,
    policy({ default: "2Gi", validRange: { min: "1Gi", step: "3Gi" } }),
  ],
  [
    `${POLICY}.validRange.max: Invalid value: "20Gi": max is larger than capacity value: 10Gi`,
    policy({ default: "1Gi", validRange: { min: "1Gi", max: "20Gi" } }),
  ],
])("a slice is refused: %s", (complaint, fields) => {
  expect(complaints("ResourceSlice", fields)).toEqual([complaint]);
});

test("a slice says what there is, and stays in its pool", () => {
  const good = slice({}, [
    {
      name: "dev",
      attributes: {
        model: { string: "A" },
        "a.example.com/version": { version: "1.2.3-rc.1+b" },
        shiny: { bool: false },
      },
      capacity: {
        memory: {
          value: "10Gi",
          requestPolicy: { default: "2Gi", validRange: { min: "1Gi", max: "9Gi", step: "1Gi" } },
        },
      },
      allowMultipleAllocations: true,
      taints: [{ key: "k", effect: "NoSchedule" }],
      consumesCounters: [{ counterSet: "c", counters: { memory: { value: "1" } } }],
    },
  ]);
  expect(complaints("ResourceSlice", good)).toEqual([]);
  expect(changes("ResourceSlice", slice({ pool: { name: "q", resourceSliceCount: 1 } }), good)).toEqual([
    `spec.pool.name: Invalid value: "q": field is immutable`,
  ]);
});

test("a class of devices is checked as claims are", () => {
  expect(complaints("DeviceClass", { spec: { selectors: [{ cel: { expression: "device.driver == 'x'" } }] } })).toEqual(
    [],
  );
  expect(complaints("DeviceClass", { spec: { extendedResourceName: "gpu", config: [{}], selectors: [{}] } })).toEqual([
    "spec.selectors[0].cel: Required value",
    "spec.config[0].opaque: Required value",
    `spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name`,
  ]);
});

test("a taint rule tells whom it taints, and how", () => {
  const spec = { deviceSelector: { driver: "", pool: "", device: "dev" }, taint: { key: "k", effect: "Sometimes" } };
  expect(complaints("DeviceTaintRule", { spec }, "v1beta2")).toEqual([
    "spec.deviceSelector.driver: Required value",
    "spec.deviceSelector.pool: Required value",
    `spec.taint.effect: Unsupported value: "Sometimes": supported values: "NoExecute", "NoSchedule", "None"`,
  ]);
});

test("who asks for the state of pools says of which", () => {
  const of = (spec: Fields) => complaints("ResourcePoolStatusRequest", { spec }, "v1alpha3");
  expect(of({ driver: "D.example.com", poolName: "a/b", limit: 1000 })).toEqual([]);
  expect(of({ poolName: "", limit: 0 })).toEqual([
    "spec.driver: Required value",
    `spec.poolName: Invalid value: "": segment 0: must not be empty`,
    "spec.limit: Invalid value: 0: must be greater than or equal to 1",
  ]);
});
