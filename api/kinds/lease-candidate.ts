import { checkQualifiedName, checkRequired } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

export interface LeaseCandidateObject extends KubeObject {
  spec: { leaseName?: string; binaryVersion?: string; emulationVersion?: string; strategy?: string };
}

const OLDEST = "OldestEmulationVersion";
/** As much of a semantic version as candidates are compared by. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:[-+][0-9A-Za-z.+-]{1,128})?$/;

/** Somebody who could hold a lease. */
export const LeaseCandidate = defineKind<LeaseCandidateObject>("coordination.k8s.io/v1beta1", "LeaseCandidate", {
  resource: "leasecandidates",
  columns: [
    { name: "LeaseName", description: "The lease.", value: ({ spec }) => spec?.leaseName ?? "" },
    { name: "BinaryVersion", description: "What the candidate is.", value: ({ spec }) => spec?.binaryVersion ?? "" },
    {
      name: "EmulationVersion",
      description: "What it behaves like.",
      value: ({ spec }) => spec?.emulationVersion ?? "",
    },
  ],
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const { leaseName, binaryVersion, emulationVersion, strategy } = spec;
    checkRequired(leaseName, SPEC.child("leaseName"), errors);
    const binaryAt = SPEC.child("binaryVersion");
    const emulationAt = SPEC.child("emulationVersion");
    const emulation = emulationVersion ? readVersion(emulationVersion, emulationAt, errors) : ZERO;
    if (checkRequired(binaryVersion, binaryAt, errors)) {
      const binary = readVersion(binaryVersion!, binaryAt, errors);
      if (emulationVersion && compareParts(binary, emulation) < 0) {
        errors.push(fieldInvalid(binaryAt, binaryVersion, "must be greater than or equal to `emulationVersion`"));
      }
    }
    const strategyAt = SPEC.child("strategy");
    if (!checkRequired(strategy, strategyAt, errors)) return errors;
    if (strategy === OLDEST) {
      const why = `must be specified when \`strategy\` is '${OLDEST}'`;
      if (compareParts(emulation, ZERO) === 0) errors.push(fieldRequired(emulationAt, why));
    } else if (strategy!.includes("/")) {
      checkQualifiedName(strategy!, strategyAt.child("strategy"), errors);
    } else {
      // The path is upstream's.
      errors.push(fieldNotSupported(strategyAt.child("strategy"), strategy, [OLDEST]));
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    validateImmutable(next.spec?.leaseName ?? "", previous.spec?.leaseName ?? "", SPEC.child("leaseName"), errors);
    return errors;
  },
});

type Parts = readonly number[];

/** Upstream goes on with this where there is no version, or none that can be read. */
const ZERO: Parts = [0, 0, 0];

function readVersion(text: string, path: FieldPath, errors: FieldError[]): Parts {
  const parts = VERSION.exec(text);
  if (parts) return parts.slice(1, 4).map(Number);
  errors.push(fieldInvalid(path, text, "must be a valid semantic version"));
  return ZERO;
}

const compareParts = (a: Parts, b: Parts): number => {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
};
