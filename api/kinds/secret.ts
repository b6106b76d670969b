import type { ISecret } from "kubernetes-models/v1/Secret";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import { FieldPath, METADATA } from "../field-path.ts";
import { configKeyComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { decodedLength, decodeText, encodeText } from "./base64.ts";
import { DATA_BYTES_MAX, IMMUTABLE_WHEN_SET } from "./config-map.ts";
import { defineKind } from "./define-kind.ts";

export type SecretObject = Omit<ISecret, "apiVersion" | "kind" | "metadata"> & KubeObject;

const DATA = FieldPath.of("data");
const ACCOUNT_NAME = "kubernetes.io/service-account.name";

/** Data that is not for everybody's eyes. */
export const Secret = defineKind<SecretObject>("v1", "Secret", {
  resource: "secrets",
  columns: [
    { name: "Type", description: "What the secret is for.", value: ({ type }) => type ?? "" },
    { name: "Data", description: "Number of keys.", value: ({ data }) => Object.keys(data ?? {}).length },
  ],
  setDefaults(secret) {
    secret.type ||= "Opaque";
    if (!secret.stringData) return;
    // Write-only: what was written becomes data, and is never seen again.
    for (const [key, value] of Object.entries(secret.stringData)) {
      secret.data ??= {};
      secret.data[key] = encodeText(value);
    }
    delete secret.stringData;
  },
  validate(secret) {
    const errors: FieldError[] = [];
    let size = 0;
    for (const key in secret.data) {
      for (const complaint of configKeyComplaints(key)) errors.push(fieldInvalid(DATA.key(key), key, complaint));
      size += decodedLength(secret.data[key]!);
    }
    if (size > DATA_BYTES_MAX) errors.push(fieldTooLong(DATA, DATA_BYTES_MAX));
    validateByType(secret, errors);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.type, previous.type, FieldPath.of("type"), errors);
    if (!previous.immutable) return errors;
    if (!next.immutable) errors.push(fieldForbidden("immutable", IMMUTABLE_WHEN_SET));
    if (!sameJson(next.data, previous.data)) errors.push(fieldForbidden("data", IMMUTABLE_WHEN_SET));
    return errors;
  },
  selectableFields: ({ type }) => ({ type: type ?? "" }),
});

function validateByType({ type, data = {}, metadata }: SecretObject, errors: FieldError[]): void {
  const require = (key: string): boolean => {
    if (Object.hasOwn(data, key)) return true;
    errors.push(fieldRequired(DATA.key(key)));
    return false;
  };
  switch (type) {
    case "kubernetes.io/service-account-token":
      if (!metadata.annotations?.[ACCOUNT_NAME]) {
        errors.push(fieldRequired(METADATA.child("annotations").key(ACCOUNT_NAME)));
      }
      return;
    case "kubernetes.io/dockercfg":
      if (require(".dockercfg")) checkJson(".dockercfg", data, errors);
      return;
    case "kubernetes.io/dockerconfigjson":
      if (require(".dockerconfigjson")) checkJson(".dockerconfigjson", data, errors);
      return;
    case "kubernetes.io/basic-auth":
      if (Object.hasOwn(data, "username") || Object.hasOwn(data, "password")) return;
      require("username");
      require("password");
      return;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) errors.push(fieldRequired(DATA.key("ssh-privatekey")));
      return;
    case "kubernetes.io/tls":
      require("tls.crt");
      require("tls.key");
  }
}

/** A JSON object, as far as can be told without telling what is in it. */
function checkJson(key: string, data: Record<string, string>, errors: FieldError[]): void {
  let why = "cannot unmarshal into an object";
  try {
    const value: unknown = JSON.parse(decodeText(data[key]!) ?? "");
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return;
  } catch {
    why = "invalid JSON";
  }
  errors.push(fieldInvalid(DATA.key(key), "<secret contents redacted>", why));
}
