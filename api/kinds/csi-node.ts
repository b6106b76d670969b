import { sameJson } from "../equality.ts";
import { checkQualifiedName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { checkDriverName } from "../pod-template/volume-sources.ts";
import { defineKind } from "./define-kind.ts";

interface Driver {
  name: string;
  nodeID: string;
  topologyKeys?: string[] | null;
  allocatable?: { count?: number };
}

export interface CSINodeObject extends KubeObject {
  spec: { drivers?: Driver[] | null };
}

const DRIVERS = SPEC.child("drivers");
const NODE_ID_LENGTH_MAX = 256;

/** The storage drivers of a node. */
export const CSINode = defineKind<CSINodeObject>("storage.k8s.io/v1", "CSINode", {
  resource: "csinodes",
  namespaced: false,
  columns: [
    {
      name: "Drivers",
      type: "integer",
      description: "How many there are.",
      value: ({ spec }) => spec?.drivers?.length ?? 0,
    },
  ],
  setDefaults(node) {
    node.spec ??= {};
    // Upstream writes what is not there.
    if (!node.spec.drivers?.length) node.spec.drivers = null;
    for (const driver of node.spec.drivers ?? []) if (!driver.topologyKeys?.length) driver.topologyKeys = null;
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const names = new Set<string>();
    spec?.drivers?.forEach((driver, i) => {
      const at = DRIVERS.index(i);
      checkDriverName(driver.name, at.child("name"), errors);
      if (checkRequired(driver.nodeID, at.child("nodeID"), errors) && driver.nodeID.length > NODE_ID_LENGTH_MAX) {
        const why = `must be ${NODE_ID_LENGTH_MAX} characters or less`;
        errors.push(fieldInvalid(at.child("nodeID"), driver.nodeID, why));
      }
      validateNonNegative(driver.allocatable?.count, at.child("allocatable").child("count"), errors);
      if (names.has(driver.name)) errors.push(fieldDuplicate(at.child("name"), driver.name));
      names.add(driver.name);
      // The path is upstream's.
      const keys = new Set<string>();
      for (const key of driver.topologyKeys ?? []) {
        if (keys.has(key)) errors.push(fieldDuplicate(at, key));
        keys.add(key);
        if (key === "") errors.push(fieldRequired(at));
        checkQualifiedName(key, at, errors);
      }
    });
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    const had = new Map(previous.drivers?.map((driver) => [driver.name, driver]));
    for (const driver of next.drivers ?? []) {
      const { allocatable: _, ...is } = driver;
      const old = had.get(driver.name);
      if (!old) continue;
      const { allocatable: __, ...was } = old;
      if (!sameJson(is, was)) errors.push(fieldInvalid(DRIVERS, is, "field is immutable"));
    }
    return errors;
  },
});
