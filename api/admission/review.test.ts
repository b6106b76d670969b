import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { httpFailure, webhookDenial } from "./denial.ts";
import { BadReview, readReview, reviewText, reviewVersionOf } from "./review.ts";

const answer = (response: object | null, more: object = {}) =>
  JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response, ...more });
const encoded = (patch: unknown) => btoa(JSON.stringify(patch));
const refusal = (text: string, mutating = true, version: "v1" | "v1beta1" = "v1") => {
  try {
    return readReview(text, version, "u", mutating);
  } catch (error) {
    return [error instanceof BadReview, (error as Error).message];
  }
};

test("the first version that is spoken is taken", () => {
  expect(reviewVersionOf(["v9", "v1beta1", "v1"])).toBe("v1beta1");
  expect(reviewVersionOf(["v9"])).toBeUndefined();
  expect(reviewVersionOf(undefined)).toBeUndefined();
  expect(JSON.parse(reviewText("v1", "u", { name: "n" }))).toEqual({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: { uid: "u", name: "n" },
  });
});

describe("an answer", () => {
  test("has a patch, warnings and annotations", () => {
    const patch = [{ op: "add", path: "/metadata/labels", value: { ü: "x" } }];
    const utf8 = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(patch))));
    const response = {
      uid: "u",
      allowed: true,
      patchType: "JSONPatch",
      patch: utf8,
      warnings: ["w"],
      auditAnnotations: { a: "b" },
    };
    expect(readReview(answer(response), "v1", "u", true)).toEqual({
      allowed: true,
      patch,
      warnings: ["w"],
      auditAnnotations: { a: "b" },
      result: undefined,
    });
  });

  test("of v1beta1 need not name its uid, its kind or the patch's type", () => {
    const text = JSON.stringify({ response: { allowed: true, patch: encoded([]) } });
    expect(readReview(text, "v1beta1", "u", true)).toMatchObject({ allowed: true, patch: [] });
  });

  test.each([
    [answer(null), [true, "received invalid webhook response: webhook response was absent"]],
    [answer({ uid: "x" }), [true, 'received invalid webhook response: expected response.uid="u", got "x"']],
    [answer({}), [true, 'received invalid webhook response: expected response.uid="u", got ""']],
    [
      answer({ uid: "u" }, { apiVersion: "v1" }),
      [
        true,
        "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /v1, Kind=AdmissionReview",
      ],
    ],
    [
      answer({ uid: "u", patch: "e30=" }),
      [true, "received invalid webhook response: webhook returned response.patch but not response.patchType"],
    ],
    [
      answer({ uid: "u", patchType: "JSONPatch" }),
      [true, "received invalid webhook response: webhook returned response.patchType but not response.patch"],
    ],
    [answer({ uid: "u", allowed: true, patch: "e30=", patchType: "Other" }), [true, 'unsupported patch type "Other"']],
    ["nonsense", [false, expect.stringContaining("couldn't get version/kind; json parse error")]],
    ["[]", [false, expect.stringContaining("json: cannot unmarshal")]],
    [
      answer({ uid: "u", allowed: 1 }),
      [false, "json: cannot unmarshal number into Go struct field AdmissionResponse.response.allowed"],
    ],
    [answer({ uid: "u", warnings: [1] }), [false, expect.stringContaining("response.warnings")]],
    [
      answer({ uid: "u", allowed: true, patch: "%", patchType: "JSONPatch" }),
      [true, expect.stringContaining("received undecodable patch")],
    ],
    [
      answer({ uid: "u", allowed: true, patch: encoded({}), patchType: "JSONPatch" }),
      [true, expect.stringContaining("received undecodable patch")],
    ],
  ])("that is wrong: %s", (text, expected) => {
    expect(refusal(text)).toEqual(expected);
  });

  test("of a validating webhook has no patch", () => {
    const why = "received invalid webhook response: validating webhook may not return response.patch";
    expect(refusal(answer({ uid: "u", patch: "e30=", patchType: "JSONPatch" }), false)).toEqual([true, why]);
    expect(refusal(answer({ uid: "u", patchType: "JSONPatch" }), false)).toEqual([true, `${why}Type`]);
  });

  test("of any sort is read, or refused with an Error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, mutating) => {
        for (const text of [JSON.stringify(value), answer(value as object)]) {
          try {
            readReview(text, "v1", "u", mutating);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect((error as Error).name).not.toBe("TypeError");
          }
        }
      }),
    );
  });
});

describe("a denial", () => {
  test.each([
    [undefined, 400, "", 'admission webhook "w" denied the request without explanation'],
    [{ message: "m", code: 403, reason: "Forbidden" }, 403, "Forbidden", 'admission webhook "w" denied the request: m'],
    [{ reason: "r" }, 400, "r", 'admission webhook "w" denied the request: r'],
    [{ code: 200, status: "Success" }, 400, "", 'admission webhook "w" denied the request without explanation'],
  ])("by %j", (result, code, reason, message) => {
    expect(webhookDenial("w", result)).toMatchObject({ code, reason, message });
  });
});

test.each([
  [404, "x", "the server could not find the requested resource"],
  [500, "oh\n", 'an error on the server ("oh") has prevented the request from succeeding'],
  [502, "", 'an error on the server ("") has prevented the request from succeeding'],
  [403, "no", "no"],
  [302, "", "the server responded with the status code 302 but did not return more information"],
])("an answer with HTTP status %d is told as client-go does", (code, body, message) => {
  expect(httpFailure(code, body, true)).toBe(message);
});
