import { type FieldError, fieldNotSupported } from "../../api/field-error.ts";
import { validateFieldManager } from "../../api/managed-fields/field-manager.ts";
import { badRequest, invalid } from "../../api/status.ts";
import type { RequestOptions, Verb } from "../../durable-objects/protocol.ts";

type Reader = (options: RequestOptions, name: string, text: string) => void;

/** The query parameters of ListOptions and its kin; others are ignored, as kube-apiserver ignores them. */
const READERS: Record<string, Reader> = {
  labelSelector: string("labelSelector"),
  fieldSelector: string("fieldSelector"),
  resourceVersion: string("resourceVersion"),
  resourceVersionMatch: string("resourceVersionMatch"),
  continue: string("continue"),
  fieldManager: string("fieldManager"),
  propagationPolicy: string("propagationPolicy"),
  limit: integer("limit"),
  timeoutSeconds: integer("timeoutSeconds"),
  gracePeriodSeconds: integer("gracePeriodSeconds"),
  allowWatchBookmarks: boolean("allowWatchBookmarks"),
  sendInitialEvents: boolean("sendInitialEvents"),
  force: boolean("force"),
  fieldValidation(options, _name, text) {
    if (text === "Strict" || text === "Warn" || text === "Ignore") options.fieldValidation = text;
  },
  dryRun(options) {
    options.dryRun = true;
  },
};

/** What the options of each writing verb are called; those of reading verbs know none of what is checked here. */
const WRITE_OPTIONS: Partial<Record<Verb, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
  delete: "DeleteOptions",
  deletecollection: "DeleteOptions",
};
const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

/** Decodes the query parameters of a request on a resource. 400 where one cannot be read, 422 where a write's says what is not known. */
export function readOptions(query: URLSearchParams, verb: Verb): RequestOptions {
  const options: RequestOptions = {};
  for (const [name, text] of query) READERS[name]?.(options, name, text);
  // To upstream a negative limit is none.
  if (options.limit !== undefined && options.limit < 0) delete options.limit;
  const kind = WRITE_OPTIONS[verb];
  const errors = kind ? validateWrite(query, kind !== "DeleteOptions") : [];
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: kind! }, "", errors);
  return options;
}

function validateWrite(query: URLSearchParams, hasFields: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const manager = query.get("fieldManager") ?? "";
  if (hasFields) errors.push(...validateFieldManager(manager, "fieldManager"));
  const dryRun = query.getAll("dryRun");
  if (dryRun.some((text) => text !== "All")) errors.push(fieldNotSupported("dryRun", dryRun, ["All"]));
  const validation = query.get("fieldValidation") ?? "";
  if (hasFields && !FIELD_VALIDATIONS.includes(validation)) {
    errors.push(fieldNotSupported("fieldValidation", validation, FIELD_VALIDATIONS));
  }
  return errors;
}

/** The query's truth, as Kubernetes' conversion of bools reads it: present and neither false nor 0. */
export const isTrue = (text: string | null): boolean => text !== null && text !== "false" && text !== "0";

function string(
  key:
    | "labelSelector"
    | "fieldSelector"
    | "resourceVersion"
    | "resourceVersionMatch"
    | "continue"
    | "fieldManager"
    | "propagationPolicy",
): Reader {
  return (options, _name, text) => {
    if (text !== "") options[key] = text;
  };
}

function boolean(key: "allowWatchBookmarks" | "sendInitialEvents" | "force"): Reader {
  return (options, _name, text) => {
    options[key] = isTrue(text);
  };
}

function integer(key: "limit" | "timeoutSeconds" | "gracePeriodSeconds"): Reader {
  return (options, _name, text) => {
    if (text === "") return;
    if (!/^[+-]?\d{1,18}$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    options[key] = Number(text);
  };
}
