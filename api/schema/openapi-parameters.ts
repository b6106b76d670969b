import { parameterDescription } from "./descriptions.ts";

/** A parameter in the shape of OpenAPI v3. The same parameter is the same value, wherever it stands. */
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly required?: true;
  readonly description?: string;
  readonly schema: { readonly type: string; readonly uniqueItems: true };
}

const known = new Map<string, Parameter>();

function parameter(name: string, place: Parameter["in"], type: string, description: string | undefined): Parameter {
  const key = `${place} ${name} ${type} ${description ?? ""}`;
  let made = known.get(key);
  if (!made) {
    made = {
      name,
      in: place,
      ...(place === "path" && { required: true }),
      ...(description !== undefined && { description }),
      schema: { type, uniqueItems: true },
    };
    known.set(key, made);
  }
  return made;
}

/** `of`: the operations (`patch`, `exec` …) whose parameter has a text of its own. */
const query = (name: string, type: "string" | "boolean" | "integer" = "string", of?: string): Parameter =>
  parameter(name, "query", type, parameterDescription(name, of));

export const NAMESPACE = (): Parameter =>
  parameter("namespace", "path", "string", "object name and auth scope, such as for teams and projects");
/** `kind`: of what is named. */
export const NAME = (kind: string): Parameter => parameter("name", "path", "string", `name of the ${kind}`);
export const PATH = (): Parameter => parameter("path", "path", "string", "path to the resource");
export const PRETTY = (): Parameter => query("pretty");

export const writeParameters = (of?: "patch"): Parameter[] => [
  query("dryRun", "string"),
  query("fieldManager", "string", of),
  query("fieldValidation", "string"),
  ...(of ? [query("force", "boolean", of)] : []),
];

const selectParameters = (): Parameter[] => [
  query("continue"),
  query("fieldSelector"),
  query("labelSelector"),
  query("limit", "integer"),
  query("resourceVersion"),
  query("resourceVersionMatch"),
  query("sendInitialEvents", "boolean"),
  query("shardSelector"),
  query("timeoutSeconds", "integer"),
];

export const listParameters = (): Parameter[] => [
  query("allowWatchBookmarks", "boolean"),
  ...selectParameters(),
  query("watch", "boolean"),
];

export const deleteParameters = (): Parameter[] => [
  query("dryRun"),
  query("gracePeriodSeconds", "integer"),
  query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
  query("orphanDependents", "boolean"),
  query("propagationPolicy"),
];

export const deleteCollectionParameters = (): Parameter[] => [...deleteParameters(), ...selectParameters()];

const attachParameters = (of: "attach" | "exec"): Parameter[] => [
  query("container", "string", of),
  query("stderr", "boolean", of),
  query("stdin", "boolean", of),
  query("stdout", "boolean", of),
  query("tty", "boolean", of),
];

/** What the subresources take that are neither objects nor parts of objects. */
export function connectParameters(subresource: string): Parameter[] {
  switch (subresource) {
    case "attach":
      return attachParameters("attach");
    case "exec":
      return [query("command", "string", "exec"), ...attachParameters("exec")];
    case "portforward":
      return [query("ports", "integer", "portforward")];
    case "proxy":
      return [query("path")];
    case "log":
      return [
        query("container", "string", "log"),
        query("follow", "boolean"),
        query("insecureSkipTLSVerifyBackend", "boolean"),
        query("limitBytes", "integer"),
        query("previous", "boolean"),
        query("sinceSeconds", "integer"),
        query("stream", "string"),
        query("tailLines", "integer"),
        query("timestamps", "boolean"),
      ];
    default:
      return [];
  }
}
