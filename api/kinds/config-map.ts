import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import { areLonger } from "../byte-length.ts";
import { sameJson } from "../equality.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldTooLong } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { configKeyComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";
import { decodedLength } from "./base64.ts";
import { defineKind } from "./define-kind.ts";

export type ConfigMapObject = Omit<IConfigMap, "apiVersion" | "kind" | "metadata"> & KubeObject;

const DATA = FieldPath.of("data");
const BINARY_DATA = FieldPath.of("binaryData");
export const DATA_BYTES_MAX = 1024 * 1024;
export const IMMUTABLE_WHEN_SET = "field is immutable when `immutable` is set";

/** Configuration data that pods consume as files or environment variables. */
export const ConfigMap = defineKind<ConfigMapObject>("v1", "ConfigMap", {
  resource: "configmaps",
  columns: [
    {
      name: "Data",
      description: "Number of keys.",
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
  ],
  validate({ data, binaryData }) {
    const errors: FieldError[] = [];
    for (const key in data) {
      for (const complaint of configKeyComplaints(key)) errors.push(fieldInvalid(DATA.key(key), key, complaint));
      if (binaryData && Object.hasOwn(binaryData, key)) {
        errors.push(fieldInvalid(DATA.key(key), key, "duplicate of key present in binaryData"));
      }
    }
    let binaryBytes = 0;
    for (const key in binaryData) {
      for (const complaint of configKeyComplaints(key)) errors.push(fieldInvalid(BINARY_DATA.key(key), key, complaint));
      binaryBytes += decodedLength(binaryData[key]!);
    }
    const tooLong = areLonger(Object.values(data ?? {}), Math.max(0, DATA_BYTES_MAX - binaryBytes));
    if (tooLong || binaryBytes > DATA_BYTES_MAX) errors.push(fieldTooLong("[]", DATA_BYTES_MAX));
    return errors;
  },
  validateUpdate(next, previous) {
    if (!previous.immutable) return [];
    const errors: FieldError[] = [];
    if (!next.immutable) errors.push(fieldForbidden("immutable", IMMUTABLE_WHEN_SET));
    if (!sameJson(next.data, previous.data)) errors.push(fieldForbidden("data", IMMUTABLE_WHEN_SET));
    if (!sameJson(next.binaryData, previous.binaryData)) errors.push(fieldForbidden("binaryData", IMMUTABLE_WHEN_SET));
    return errors;
  },
});
