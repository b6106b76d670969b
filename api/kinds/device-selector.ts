import { areLonger } from "../byte-length.ts";
import { compile, type Environment } from "../cel/cel.ts";
import { ANYTHING, declaredAs, declaredMap, declaredObject } from "../cel/declared.ts";
import * as T from "../cel/types.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { DEVICE_DOMAIN_LENGTH_MAX, DEVICE_ID_LENGTH_MAX } from "./device-names.ts";

/** One of several conditions of a device: an expression over `device`. */
export interface DeviceSelector {
  cel?: { expression?: string };
}

const EXPRESSION_BYTES_MAX = 10 * 1024;
/** In cost units, as estimated. */
const EXPRESSION_COST_MAX = 1_000_000;
const ENTRIES_MAX = 32;
const ATTRIBUTE_LENGTH_MAX = 64;

const byName = (values: typeof ANYTHING) => {
  const ids = {
    ...declaredMap(values, ENTRIES_MAX),
    keys: { ...declaredAs(T.STRING), maxElements: DEVICE_ID_LENGTH_MAX },
  };
  const domains = { ...declaredAs(T.STRING), maxElements: DEVICE_DOMAIN_LENGTH_MAX };
  return { ...declaredMap(ids, ENTRIES_MAX), keys: domains };
};

/** k8s.io/dynamic-resource-allocation/cel: attributes and capacities by domain and name. */
const ENVIRONMENT: Environment = {
  variables: {
    device: declaredObject("kubernetes.DRADevice", {
      driver: { ...declaredAs(T.STRING), maxElements: DEVICE_DOMAIN_LENGTH_MAX },
      attributes: byName({ ...ANYTHING, maxElements: ATTRIBUTE_LENGTH_MAX }),
      capacity: byName(declaredAs(T.QUANTITY)),
      allowMultipleAllocations: declaredAs(T.BOOL),
    }),
  },
};

export function validateSelector({ cel }: DeviceSelector, path: FieldPath, errors: FieldError[]): void {
  if (!cel) {
    errors.push(fieldRequired(path.child("cel")));
    return;
  }
  const { expression = "" } = cel;
  const at = path.child("cel").child("expression");
  if (areLonger([expression], EXPRESSION_BYTES_MAX)) {
    errors.push(fieldTooLong(at, EXPRESSION_BYTES_MAX));
    return;
  }
  const compiled = compile(expression, ENVIRONMENT);
  if (compiled.issues !== undefined) {
    errors.push(fieldInvalid(at, expression, `compilation failed: ${compiled.issues}`));
    return;
  }
  const { program } = compiled;
  const { resultType } = program;
  if (!T.isSameType(resultType, T.BOOL) && !T.isSameType(resultType, T.DYN)) {
    const why = `must evaluate to bool or the unknown type, not ${T.formatType(resultType)}`;
    errors.push(fieldInvalid(at, expression, why));
  } else if (program.estimateCost().max > EXPRESSION_COST_MAX) {
    errors.push(fieldForbidden(at, "too complex, exceeds cost limit"));
  }
}
