import { dnsLabelComplaints, dnsSubdomainComplaints } from "../../names.ts";
import { fail } from "../cel-error.ts";
import { type CelFunction, celFunction, member } from "../function.ts";
import { AUTHORIZER, BOOL, type CelType, DECISION, GROUP_CHECK, PATH_CHECK, RESOURCE_CHECK, STRING } from "../types.ts";
import { type CelValue, Instance } from "../values.ts";

/** What `check` asks: of the request's user, or of a service account. */
export interface AccessQuestion {
  /** Undefined: the user of the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly verb: string;
  /** Of a path that is no resource; the others are empty then. */
  readonly path: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Unparsed; what does not parse is no part of the question upstream. */
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  /** Undefined: none. */
  readonly error?: string;
}

export type Authorize = (question: AccessQuestion) => AccessAnswer;

const NOTHING = {
  path: "",
  group: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  fieldSelector: "",
  labelSelector: "",
} as const;

/** What can be said of access so far: an authorizer, a path, a group or a resource, by its type. */
class Check extends Instance {
  readonly type: CelType;
  readonly authorize: Authorize;
  readonly question: Omit<AccessQuestion, "verb">;

  constructor(type: CelType, authorize: Authorize, question: Omit<AccessQuestion, "verb">) {
    super();
    this.type = type;
    this.authorize = authorize;
    this.question = question;
  }

  with(type: CelType, more: Partial<AccessQuestion>): Check {
    return new Check(type, this.authorize, { ...this.question, ...more });
  }

  equals(other: CelValue): boolean {
    return other instanceof Check && JSON.stringify(other.question) === JSON.stringify(this.question);
  }
}

class Decision extends Instance {
  readonly type = DECISION;
  readonly answer: AccessAnswer;

  constructor(answer: AccessAnswer) {
    super();
    this.answer = answer;
  }

  equals(other: CelValue): boolean {
    return other instanceof Decision && JSON.stringify(other.answer) === JSON.stringify(this.answer);
  }
}

/** The same question is asked once. */
function remembering(authorize: Authorize): Authorize {
  const known = new Map<string, AccessAnswer>();
  return (question) => {
    const key = JSON.stringify(question);
    const answer = known.get(key) ?? authorize(question);
    known.set(key, answer);
    return answer;
  };
}

/** The variable `authorizer`. Pass the same one to all evaluations of a request: it remembers its answers. */
export const authorizerValue = (authorize: Authorize): CelValue =>
  new Check(AUTHORIZER, remembering(authorize), NOTHING);

/** The variable `authorizer.requestResource`: a check of the request's own resource, with an authorizer's answers. */
export const requestResourceValue = (
  authorizer: CelValue,
  resource: Pick<AccessQuestion, "group" | "resource" | "subresource" | "namespace" | "name">,
): CelValue => (authorizer as Check).with(RESOURCE_CHECK, resource);

const step = (
  name: string,
  id: string,
  from: CelType,
  to: CelType,
  more: (text: string) => Partial<AccessQuestion>,
): CelFunction =>
  celFunction(name, [
    member(id, [from, STRING], to, ([check, text]) => (check as Check).with(to, more(text as string))),
  ]);

const nonEmpty = (what: string, text: string): string =>
  text.trim() === "" ? fail(`${what} must not be empty`) : text;

function ofServiceAccount(authorizer: Check, namespace: string, name: string): Check {
  if (dnsSubdomainComplaints(name).length > 0) fail("Invalid service account name");
  if (dnsLabelComplaints(namespace).length > 0) fail("Invalid service account namespace");
  return authorizer.with(AUTHORIZER, { serviceAccount: { namespace, name } });
}

const check = (id: string, type: CelType) =>
  member(id, [type, STRING], DECISION, ([value, verb]) => {
    const { authorize, question } = value as Check;
    return new Decision(authorize({ ...question, verb: verb as string }));
  });

const answered = (name: string, type: CelType, read: (answer: AccessAnswer) => CelValue): CelFunction =>
  celFunction(name, [
    member(`decision_${name}`, [DECISION], type, ([decision]) => read((decision as Decision).answer)),
  ]);

/** Kubernetes' authorization checks, with selectors. */
export const AUTHORIZER_LIBRARY: readonly CelFunction[] = [
  step("path", "authorizer_path", AUTHORIZER, PATH_CHECK, (path) => ({ path: nonEmpty("path", path) })),
  step("group", "authorizer_group", AUTHORIZER, GROUP_CHECK, (group) => ({ group })),
  celFunction("serviceAccount", [
    member("authorizer_serviceaccount", [AUTHORIZER, STRING, STRING], AUTHORIZER, ([authorizer, namespace, name]) =>
      ofServiceAccount(authorizer as Check, namespace as string, name as string),
    ),
  ]),
  step("resource", "groupcheck_resource", GROUP_CHECK, RESOURCE_CHECK, (resource) => ({
    resource: nonEmpty("resource", resource),
  })),
  step("subresource", "resourcecheck_subresource", RESOURCE_CHECK, RESOURCE_CHECK, (subresource) => ({ subresource })),
  step("namespace", "resourcecheck_namespace", RESOURCE_CHECK, RESOURCE_CHECK, (namespace) => ({ namespace })),
  step("name", "resourcecheck_name", RESOURCE_CHECK, RESOURCE_CHECK, (name) => ({ name })),
  step("fieldSelector", "authorizer_fieldselector", RESOURCE_CHECK, RESOURCE_CHECK, (fieldSelector) => ({
    fieldSelector,
  })),
  step("labelSelector", "authorizer_labelselector", RESOURCE_CHECK, RESOURCE_CHECK, (labelSelector) => ({
    labelSelector,
  })),
  celFunction("check", [check("pathcheck_check", PATH_CHECK), check("resourcecheck_check", RESOURCE_CHECK)]),
  answered("errored", BOOL, ({ error }) => error !== undefined),
  answered("error", STRING, ({ error }) => error ?? ""),
  answered("allowed", BOOL, ({ allowed }) => allowed),
  answered("reason", STRING, ({ reason }) => reason),
];
