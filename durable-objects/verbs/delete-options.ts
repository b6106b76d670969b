import { type FieldError, fieldInvalid, fieldNotSupported } from "../../api/field-error.ts";
import { badRequest, invalid } from "../../api/status.ts";
import type { HomeRequest } from "../protocol.ts";

export type Propagation = "Background" | "Foreground" | "Orphan";

/** metav1.DeleteOptions. */
export interface DeleteOptions {
  graceSeconds?: number | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagation?: Propagation | undefined;
  /** Without a propagation, and without a finalizer that says otherwise, dependents stay. */
  orphansByDefault?: boolean;
  dryRun: boolean;
}

const POLICIES = ["Foreground", "Background", "Orphan"] as const;

interface Given {
  kind?: string;
  gracePeriodSeconds?: number | null;
  preconditions?: { uid?: string | null; resourceVersion?: string | null } | null;
  propagationPolicy?: string | null;
  orphanDependents?: boolean | null;
  dryRun?: string[];
}

/** From the body, or else from the query. @throws ApiError BadRequest or Invalid. */
export function deleteOptionsOf({ body, options }: HomeRequest): DeleteOptions {
  const given = body ? parse(body) : fromQuery(options);
  const errors: FieldError[] = [];
  const { gracePeriodSeconds: grace, propagationPolicy: policy, orphanDependents: orphan } = given;
  if (typeof policy === "string" && orphan !== undefined && orphan !== null) {
    errors.push(
      fieldInvalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  if (typeof policy === "string" && !isPolicy(policy)) {
    errors.push(fieldNotSupported("propagationPolicy", policy, [...POLICIES, "nil"]));
  }
  const dryRun = given.dryRun ?? [];
  if (dryRun.some((value) => value !== "All")) errors.push(fieldNotSupported("dryRun", dryRun, ["All"]));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return {
    graceSeconds: grace ?? undefined,
    uid: given.preconditions?.uid ?? undefined,
    resourceVersion: given.preconditions?.resourceVersion ?? undefined,
    propagation: policyOf(policy, orphan),
    dryRun: dryRun.length > 0 || options.dryRun === true,
  };
}

const isPolicy = (policy: string): policy is Propagation => (POLICIES as readonly string[]).includes(policy);

function policyOf(policy: string | null | undefined, orphan: boolean | null | undefined): Propagation | undefined {
  if (typeof policy === "string" && isPolicy(policy)) return policy;
  if (orphan === true) return "Orphan";
  return orphan === false ? "Background" : undefined;
}

const fromQuery = ({ gracePeriodSeconds, propagationPolicy }: HomeRequest["options"]): Given => ({
  ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
  ...(propagationPolicy && { propagationPolicy }),
});

function parse(body: string): Given {
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw badRequest("couldn't get version/kind; json parse error: DeleteOptions is not an object");
  }
  const { kind, gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents, dryRun } = given as Given;
  const fits =
    (kind === undefined || kind === "DeleteOptions") &&
    (gracePeriodSeconds === undefined || gracePeriodSeconds === null || Number.isSafeInteger(gracePeriodSeconds)) &&
    isOptional(preconditions, "object") &&
    isOptional(preconditions?.uid, "string") &&
    isOptional(preconditions?.resourceVersion, "string") &&
    isOptional(propagationPolicy, "string") &&
    isOptional(orphanDependents, "boolean") &&
    (dryRun === undefined || Array.isArray(dryRun));
  if (!fits) throw badRequest("the object provided is unrecognized (must be of type DeleteOptions)");
  return given as Given;
}

const isOptional = (value: unknown, type: string): boolean =>
  value === undefined || value === null || typeof value === type;
