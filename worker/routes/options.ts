import { badRequest } from "../../api/status.ts";
import type { RequestOptions } from "../../durable-objects/protocol.ts";

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
  fieldValidation(options, _name, text) {
    if (text !== "Strict" && text !== "Warn" && text !== "Ignore" && text !== "")
      throw badRequest(
        `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Strict", "Warn"`,
      );
    if (text !== "") options.fieldValidation = text;
  },
  dryRun(options, _name, text) {
    if (text !== "All") throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(text)}: supported values: "All"`);
    options.dryRun = true;
  },
};

/** Decodes the query parameters of a request on a resource. 400 where one cannot be read. */
export function readOptions(query: URLSearchParams): RequestOptions {
  const options: RequestOptions = {};
  for (const [name, text] of query) READERS[name]?.(options, name, text);
  return options;
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

function boolean(key: "allowWatchBookmarks" | "sendInitialEvents"): Reader {
  return (options, _name, text) => {
    options[key] = isTrue(text);
  };
}

function integer(key: "limit" | "timeoutSeconds" | "gracePeriodSeconds"): Reader {
  return (options, name, text) => {
    if (text === "") return;
    if (!/^[+-]?\d{1,18}$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax (query parameter ${name})`);
    options[key] = Number(text);
  };
}
