import { expect, test } from "vitest";
import { fieldInvalid, fieldInvalidUnshown } from "./field-error.ts";
import { internalError, invalid, methodNotAllowed, unknownError } from "./status.ts";

test("what is wrong is told once in the message, and each time as a cause", () => {
  const twice = fieldInvalid("spec.a", 1, "is odd");
  const { message, details } = invalid({ group: "apps", kind: "Deployment" }, "d", [twice, twice]).toStatus();
  expect(message).toBe('Deployment.apps "d" is invalid: spec.a: Invalid value: 1: is odd');
  expect(details?.causes).toHaveLength(2);
});

test("a value that says nothing is not shown", () => {
  const { message } = invalid({ group: "", kind: "Pod" }, "p", [fieldInvalidUnshown("spec", "is too much")]);
  expect(message).toBe('Pod "p" is invalid: spec: Invalid value: is too much');
});

test("an error without a reason travels as 500, and says no reason", () => {
  expect(unknownError("why").toStatus()).toEqual({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "why",
    code: 500,
  });
});

test("an internal error has its cause without a reason", () => {
  expect(internalError("why").toStatus()).toMatchObject({
    message: "Internal error occurred: why",
    reason: "InternalError",
    details: { causes: [{ message: "why" }] },
  });
});

test("a verb that a path does not take is refused in the router's words", () => {
  expect(methodNotAllowed().toStatus()).toMatchObject({
    message: "the server does not allow this method on the requested resource",
    reason: "MethodNotAllowed",
    details: {},
    code: 405,
  });
});
