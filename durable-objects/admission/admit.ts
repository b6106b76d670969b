import type { KubeObject } from "../../api/object.ts";
import type { DeleteOptions } from "../verbs/delete-options.ts";
import type { Writing } from "../verbs/scope.ts";
import type { Served } from "../verbs/served.ts";
import type { Admission, Guise } from "./plugin.ts";

/** What is being written, as its verb knows it. */
export interface AdmittedWrite {
  operation: Admission["operation"];
  served: Served;
  subresource: string;
  name: string;
  object: KubeObject;
  previous: Readonly<KubeObject> | undefined;
  guise?: Guise | undefined;
  /** Of a deletion. */
  deleteOptions?: Omit<DeleteOptions, "dryRun"> | undefined;
}

/** Runs the mutating half of admission. Answers what it made of the object. @throws the ApiError of the first plugin that refuses. */
export function admit(writing: Writing, write: AdmittedWrite): KubeObject {
  const admission = admissionOf(writing, write);
  for (const plugin of writing.scope.admission) plugin.admit?.(admission);
  const { reinvocation } = admission;
  if (!reinvocation?.isWanted) return admission.object;
  reinvocation.isSecond = true;
  for (const plugin of writing.scope.admission) plugin.admit?.(admission);
  return admission.object;
}

/** Obtains what the object needs from elsewhere to be whole. */
export function begin(writing: Writing, write: AdmittedWrite): void {
  const admission = admissionOf(writing, write);
  for (const plugin of writing.scope.admission) plugin.begin?.(admission);
}

/** Runs the validating half of admission on an object that is valid. @throws the ApiError of the first plugin that refuses. */
export function validateAdmission(writing: Writing, write: AdmittedWrite): void {
  const admission = admissionOf(writing, write);
  for (const plugin of writing.scope.admission) plugin.validate?.(admission);
}

const admissionOf = (
  { scope, tx, user, dryRun, answers, draws, warnings, options, annotations, asksNobody = false }: Writing,
  { operation, served, subresource, name, object, previous, guise, deleteOptions }: AdmittedWrite,
): Admission => ({
  operation,
  served,
  subresource,
  name,
  object,
  previous,
  namespace: scope.namespace,
  user,
  tx,
  catalog: scope.catalog,
  now: draws.now(),
  dryRun,
  answers,
  warnings,
  guise,
  asksNobody,
  requestOptions: options,
  deleteOptions,
  annotations,
  reinvocation: undefined,
});
