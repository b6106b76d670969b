import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeObject } from "../schema/decode.ts";
import { ApiError } from "../status.ts";
import { decodeProtobuf, MAGIC } from "./envelope.ts";
import { WireWriter } from "./wire-writer.ts";

const DEPLOYMENT = { group: "apps", version: "v1", kind: "Deployment" };
const core = (kind: string) => ({ group: "", version: "v1", kind });

type Write = (writer: WireWriter) => void;

function envelope(apiVersion: string, kind: string, write: Write): Uint8Array {
  const outer = new WireWriter()
    .message(1, (type) => type.text(1, apiVersion).text(2, kind))
    .message(2, write)
    .text(3, "")
    .text(4, "");
  return Uint8Array.of(...MAGIC, ...outer.finish());
}

const named =
  (name: string): Write =>
  (meta) =>
    meta
      .text(1, name)
      .text(2, "")
      .message(8, () => {});

/** A Service with one port. */
const service = (port: Write): Uint8Array =>
  envelope("v1", "Service", (object) => object.message(1, named("a")).message(2, (spec) => spec.message(1, port)));

const refusal = (decode: () => unknown): ApiError => {
  try {
    decode();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("not refused");
};

describe("an object in protobuf", () => {
  test("is what its JSON form is", () => {
    const bytes = envelope("apps/v1", "Deployment", (object) =>
      object
        .message(1, (meta) =>
          meta
            .text(1, "web")
            .text(3, "")
            .message(8, (time) => time.integer(1, 1_700_000_000).integer(2, 5))
            .message(11, (entry) => entry.text(1, "app").text(2, "web"))
            .message(11, (entry) => entry.text(1, "__proto__").text(2, "")),
        )
        .message(2, (spec) =>
          spec
            .integer(1, 0)
            .message(4, (strategy) =>
              strategy
                .text(1, "RollingUpdate")
                .message(2, (rolling) =>
                  rolling
                    .message(1, (max) => max.integer(1, 1).integer(2, 0).text(3, "25%"))
                    .message(2, (max) => max.integer(1, 0).integer(2, 3).text(3, "")),
                ),
            )
            .message(3, (template) =>
              template.message(1, named("")).message(2, (pod) =>
                pod
                  .message(1, (volume) =>
                    volume
                      .text(1, "config")
                      .message(2, (source) =>
                        source.message(19, (configMap) => configMap.message(1, (reference) => reference.text(1, "c"))),
                      ),
                  )
                  .message(2, (container) =>
                    container
                      .text(1, "web")
                      .text(2, "")
                      .text(3, "serve")
                      .text(3, "--fast")
                      .message(8, (resources) =>
                        resources.message(2, (entry) => entry.text(1, "cpu").message(2, (cpu) => cpu.text(1, "100m"))),
                      )
                      .message(10, (probe) =>
                        probe
                          .message(1, (handler) =>
                            handler.message(2, (get) => get.message(2, (port) => port.integer(1, 0).integer(2, 80))),
                          )
                          .integer(2, 7),
                      )
                      .integer(16, false),
                  )
                  .integer(4, -1),
              ),
            ),
        ),
    );
    const value = decodeProtobuf(DEPLOYMENT, bytes);
    expect(value).toMatchObject({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", creationTimestamp: "2023-11-14T22:13:20Z" },
      spec: {
        replicas: 0,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: 3 } },
        template: {
          metadata: { creationTimestamp: null },
          spec: {
            terminationGracePeriodSeconds: -1,
            volumes: [{ name: "config", configMap: { name: "c" } }],
            containers: [
              {
                name: "web",
                command: ["serve", "--fast"],
                resources: { requests: { cpu: "100m" } },
                livenessProbe: { httpGet: { port: 80 }, initialDelaySeconds: 7 },
              },
            ],
          },
        },
      },
    });
    const { labels } = value["metadata"] as { labels: Record<string, string> };
    expect(Object.entries(labels)).toEqual([
      ["app", "web"],
      ["__proto__", ""],
    ]);
    expect(decodeObject(DEPLOYMENT, value, "Strict").object.metadata.name).toBe("web");
  });

  test("has bytes as base64, and raw JSON as JSON", () => {
    const secret = envelope("v1", "Secret", (object) =>
      object.message(2, (entry) => entry.text(1, "k").bytes(2, Uint8Array.of(0, 255, 128))).message(2, () => {}),
    );
    expect(decodeProtobuf(core("Secret"), secret)["data"]).toEqual({ k: "AP+A", "": "" });
    const revision = envelope("apps/v1", "ControllerRevision", (object) =>
      object.message(2, (raw) => raw.text(1, '{"spec":{"a":[1]}}')).integer(3, 2 ** 40),
    );
    expect(decodeProtobuf({ ...DEPLOYMENT, kind: "ControllerRevision" }, revision)).toMatchObject({
      data: { spec: { a: [1] } },
      revision: 2 ** 40,
    });
  });

  test("has times to the microsecond where the type says so", () => {
    const lease = envelope("coordination.k8s.io/v1", "Lease", (object) =>
      object.message(2, (spec) =>
        spec.integer(2, 0).message(3, (time) => time.integer(1, 1_700_000_000).integer(2, 123_456_789)),
      ),
    );
    const { spec } = decodeProtobuf({ group: "coordination.k8s.io", version: "v1", kind: "Lease" }, lease);
    expect(spec).toEqual({ leaseDurationSeconds: 0, acquireTime: "2023-11-14T22:13:20.123456Z" });
  });

  test("has lists in maps", () => {
    const request = envelope("certificates.k8s.io/v1", "CertificateSigningRequest", (object) =>
      object.message(2, (spec) =>
        spec.message(6, (entry) => entry.text(1, "k").message(2, (items) => items.text(1, "a").text(1, "b"))),
      ),
    );
    const kind = { group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest" };
    expect(decodeProtobuf(kind, request)["spec"]).toEqual({ extra: { k: ["a", "b"] } });
  });

  test("may have fields that are newer, and fields in pieces", () => {
    const bytes = envelope("v1", "Service", (object) =>
      object
        .message(1, (meta) => meta.text(1, "a"))
        .integer(900, 1)
        .double(901, 1.5)
        .text(902, "x")
        .message(1, (meta) => meta.text(3, "b").text(5, "u")),
    );
    expect(decodeProtobuf(core("Service"), bytes)["metadata"]).toEqual({ name: "a", namespace: "b", uid: "u" });
  });

  test("may have its numbers all in one", () => {
    const bytes = envelope("v1", "Pod", (object) =>
      object.message(2, (spec) => spec.message(14, (context) => context.bytes(4, Uint8Array.of(1, 0xac, 0x02)))),
    );
    expect(decodeProtobuf(core("Pod"), bytes)["spec"]).toEqual({ securityContext: { supplementalGroups: [1, 300] } });
  });

  test("may be the options of a delete, in any group", () => {
    const bytes = envelope("apps/v1", "DeleteOptions", (options) =>
      options
        .integer(1, 0)
        .message(2, (preconditions) => preconditions.text(1, "u"))
        .text(4, "Foreground")
        .text(5, "All"),
    );
    expect(decodeProtobuf(core("DeleteOptions"), bytes)).toEqual({
      apiVersion: "apps/v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: 0,
      preconditions: { uid: "u" },
      propagationPolicy: "Foreground",
      dryRun: ["All"],
    });
  });

  test("that is of no known kind, or of another one, is left to the JSON decoder to refuse", () => {
    const boat = decodeProtobuf(
      core("Pod"),
      envelope("example.com/v1", "Boat", (object) => object.message(1, named("a"))),
    );
    expect(boat).toEqual({ apiVersion: "example.com/v1", kind: "Boat" });
    expect(refusal(() => decodeObject(core("Pod"), boat)).message).toMatch(/no kind "Boat" is registered/);
  });

  test("without a type is of the type that is asked for", () => {
    expect(
      decodeProtobuf(
        core("Pod"),
        envelope("", "", (object) => object.message(1, named("a"))),
      ),
    ).toMatchObject({ apiVersion: "v1", kind: "Pod" });
  });
});

describe("bytes that are no object", () => {
  test.each<[string, Uint8Array, string]>([
    [
      "JSON",
      new TextEncoder().encode('{"kind":"Service"}'),
      'the object provided is unrecognized (must be of type Service): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"kind":"Service"})',
    ],
    [
      "an envelope that ends too soon",
      Uint8Array.of(...MAGIC, 0x0a, 0x7f),
      "the object provided is unrecognized (must be of type Service): unexpected EOF (6b3873000a7f)",
    ],
    [
      "a number where a text is due",
      service((port) => port.integer(1, 1)),
      'Service in version "v1" cannot be handled as a Service: proto: wrong wireType = 0 for field Name',
    ],
    [
      "a group",
      service((port) => port.integer(100, 1).bytes(1, Uint8Array.of())).map((byte, index, all) =>
        byte === 0xa0 && all[index + 1] === 0x06 ? 0xa3 : byte,
      ),
      'Service in version "v1" cannot be handled as a Service: proto: illegal wireType 3',
    ],
    [
      "a number without an end",
      envelope("v1", "Service", (object) => object.bytes(1, Uint8Array.of(0x38, ...new Array(10).fill(0xff)))),
      'Service in version "v1" cannot be handled as a Service: proto: integer overflow',
    ],
    [
      "a time beyond the calendar",
      envelope("v1", "Service", (object) =>
        object.message(1, (meta) => meta.message(8, (time) => time.integer(1, 2 ** 50))),
      ),
      'Service in version "v1" cannot be handled as a Service: Time.MarshalJSON: year outside of range [0,9999]',
    ],
    [
      "raw JSON that is none",
      envelope("apps/v1", "ControllerRevision", (object) => object.message(2, (raw) => raw.text(1, "{"))),
      'ControllerRevision in version "v1" cannot be handled as a Service: unexpected end of JSON input',
    ],
  ])("%s", (_, bytes, message) => {
    const error = refusal(() => decodeProtobuf(core("Service"), bytes));
    expect(error.message).toBe(message);
    expect(error.code).toBe(400);
  });

  test("whatever they are, they are an answer, never a failure", () => {
    const good = service((port) =>
      port
        .text(1, "http")
        .integer(3, 80)
        .message(4, (target) => target.integer(2, 8080)),
    );
    const spoilt = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(spoilt, fc.nat(good.length), (changes, length) => {
        const bytes = good.slice(0, length);
        for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
        try {
          JSON.stringify(decodeProtobuf(core("Service"), bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
