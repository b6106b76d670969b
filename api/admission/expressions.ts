import { compile, type Environment, type Program } from "../cel/cel.ts";
import { ANYTHING, type Declared, declaredAs, declaredList, declaredMap, declaredObject } from "../cel/declared.ts";
import * as T from "../cel/types.ts";
import { type CelType, formatType } from "../cel/types.ts";
import { mutationType, OBJECT, PATCH } from "./mutation-types.ts";

/** What an expression is for: which values it may make, and what it may name beyond `object`, `oldObject`, `request` and `namespaceObject`. */
export interface ExpressionUse {
  /** `text or nothing`: an audit annotation's. */
  readonly returns: "bool" | "string" | "text or nothing" | "anything" | "Object" | "JSONPatch";
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** The types of `variables`, where the expression belongs to a policy. */
  readonly variables?: ReadonlyMap<string, CelType> | undefined;
  /** What is known of these, where that is checked against a schema. */
  readonly types?: { readonly object?: Declared | undefined; readonly params?: Declared | undefined } | undefined;
}

export type CompiledExpression =
  | { readonly program: Program; readonly error?: undefined }
  /** In upstream's words; `program` is not there. */
  | { readonly program?: undefined; readonly error: string };

const TEXT = declaredAs(T.STRING);
const WHOLE = declaredAs(T.INT);
const TIME = declaredAs(T.TIMESTAMP);
const TEXTS = declaredList(TEXT);
const LABELS = declaredMap(TEXT);

const KIND = declaredObject("kubernetes.GroupVersionKind", { group: TEXT, version: TEXT, kind: TEXT });
const RESOURCE = declaredObject("kubernetes.GroupVersionResource", { group: TEXT, version: TEXT, resource: TEXT });

/** admission.k8s.io/v1 AdmissionRequest without what has names of its own (admission/plugin/cel BuildRequestType). */
const REQUEST = declaredObject("kubernetes.AdmissionRequest", {
  kind: KIND,
  resource: RESOURCE,
  subResource: TEXT,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: TEXT,
  name: TEXT,
  namespace: TEXT,
  operation: TEXT,
  userInfo: declaredObject("kubernetes.UserInfo", {
    username: TEXT,
    uid: TEXT,
    groups: TEXTS,
    extra: declaredMap(TEXTS),
  }),
  dryRun: declaredAs(T.BOOL),
  options: ANYTHING,
});

/** A Namespace, but for what has nothing to say to a policy (admission/plugin/cel BuildNamespaceType). */
const NAMESPACE = declaredObject("kubernetes.Namespace", {
  metadata: declaredObject("kubernetes.NamespaceMetadata", {
    name: TEXT,
    generateName: TEXT,
    namespace: TEXT,
    labels: LABELS,
    annotations: LABELS,
    UID: TEXT,
    creationTimestamp: TIME,
    deletionGracePeriodSeconds: WHOLE,
    deletionTimestamp: TIME,
    generation: WHOLE,
    resourceVersion: TEXT,
    finalizers: TEXTS,
  }),
  spec: declaredObject("kubernetes.NamespaceSpec", { finalizers: TEXTS }),
  status: declaredObject("kubernetes.NamespaceStatus", {
    conditions: declaredList(
      declaredObject("kubernetes.NamespaceCondition", {
        status: TEXT,
        type: TEXT,
        lastTransitionTime: TIME,
        message: TEXT,
        reason: TEXT,
      }),
    ),
    phase: TEXT,
  }),
});

const RETURNS: Readonly<Record<ExpressionUse["returns"], readonly CelType[]>> = {
  bool: [T.BOOL],
  string: [T.STRING],
  "text or nothing": [T.STRING, T.NULL],
  anything: [],
  Object: [OBJECT],
  JSONPatch: [T.listOf(PATCH)],
};

/** As upstream's admission compiler (k8s.io/apiserver/pkg/admission/plugin/cel): checked, and of the type that is needed. */
export function compileExpression(source: string, use: ExpressionUse): CompiledExpression {
  const compiled = compile(source, environmentFor(use));
  if (compiled.issues !== undefined) return { error: `compilation failed: ${compiled.issues}` };
  const { program } = compiled;
  const wanted = RETURNS[use.returns];
  if (wanted.length === 0 || wanted.some((type) => T.isSameType(type, program.resultType))) return { program };
  const names = wanted.map(formatType);
  const choice = names.length === 1 ? names[0] : `one of [${names.join(" ")}]`;
  return { error: `must evaluate to ${choice} but got ${formatType(program.resultType)}` };
}

/** What is wrong with an expression, as the compiler prints it; undefined: nothing. */
export const issuesOf = (source: string, use: ExpressionUse): string | undefined =>
  compile(source, environmentFor(use)).issues;

function environmentFor({ returns, hasParams, hasAuthorizer, variables, types }: ExpressionUse): Environment {
  const object = types?.object ?? ANYTHING;
  const isMutation = returns === "Object" || returns === "JSONPatch";
  return {
    variables: {
      object,
      oldObject: object,
      request: REQUEST,
      namespaceObject: NAMESPACE,
      ...(hasParams && { params: types?.params ?? ANYTHING }),
      ...(hasAuthorizer && {
        authorizer: declaredAs(T.AUTHORIZER),
        "authorizer.requestResource": declaredAs(T.RESOURCE_CHECK),
      }),
      ...(variables && {
        variables: declaredObject(
          "kubernetes.variables",
          Object.fromEntries([...variables].map(([name, type]) => [name, declaredAs(type)])),
        ),
      }),
    },
    ...(isMutation && { constructible: mutationType, jsonPatch: true }),
  };
}
