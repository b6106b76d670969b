import type { KindInfo, SubresourceInfo } from "../kind.ts";
import {
  capital,
  connect,
  type Described,
  METHODS,
  type Operation,
  operation,
  type PathItem,
  type Published,
  publishedOf,
} from "./openapi-operations.ts";
import {
  connectParameters,
  listParameters,
  NAME,
  NAMESPACE,
  PATH,
  type Parameter,
  PRETTY,
} from "./openapi-parameters.ts";

/** Subresources that are no objects: what they answer is text, whatever it says. */
const CONNECTED: ReadonlySet<string> = new Set(["attach", "exec", "portforward", "proxy"]);
/** What is proxied is of any method. */
const PROXIED = ["delete", "get", "head", "options", "patch", "post", "put"];
const OPTIONS_KINDS: Record<string, string> = {
  attach: "PodAttachOptions",
  exec: "PodExecOptions",
  portforward: "PodPortForwardOptions",
};

/** The paths of one resource and its subresources, with their operations. */
export function itemPaths(info: KindInfo, published: Published): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  const root = info.group === "" ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const namespace = info.namespaced ? "/namespaces/{namespace}" : "";
  const scope = info.namespaced ? [NAMESPACE()] : [];
  const scopeWord = info.namespaced ? "Namespaced" : "";
  const collection = `${root}${namespace}/${info.resource}`;
  const make = (verb: string, words: string, what: Described) => operation(verb, words, info, what);
  const own: Described = { ...published, gvk: info, isRoot: true, subresource: "" };

  if (info.verbs.includes("list")) {
    if (info.namespaced) {
      const list = make("list", `${info.kind}ForAllNamespaces`, own);
      put(paths, `${root}/${info.resource}`, { get: list }, [PRETTY()]);
    }
  }
  const at = (...verbs: string[]) =>
    Object.fromEntries(
      verbs
        .filter((verb) => info.verbs.includes(verb))
        .map((verb) => {
          const middle = verb === "deletecollection" ? "Collection" : "";
          return [METHODS[verb]!.method, make(verb, `${middle}${scopeWord}${info.kind}`, own)];
        }),
    );
  put(paths, collection, at("list", "create", "deletecollection"), [...scope, PRETTY()]);
  const ofOne = [NAME(info.kind), ...scope, PRETTY()];
  put(paths, `${collection}/{name}`, at("get", "update", "patch", "delete"), ofOne);
  for (const subresource of info.subresources) {
    putSubresource(paths, info, subresource, { collection, scope, words: `${scopeWord}${info.kind}`, published });
  }
  if (!info.verbs.includes("watch") || published.isCustom) return paths;
  const watched = [...listParameters(), PRETTY()];
  if (info.namespaced) {
    const list = make("watchlist", `${info.kind}ListForAllNamespaces`, own);
    put(paths, `${root}/watch/${info.resource}`, { get: list }, watched);
  }
  const list = make("watchlist", `${scopeWord}${info.kind}List`, own);
  put(paths, `${root}/watch${namespace}/${info.resource}`, { get: list }, [...watched, ...scope]);
  const one = make("watch", `${scopeWord}${info.kind}`, own);
  put(paths, `${root}/watch${namespace}/${info.resource}/{name}`, { get: one }, [
    ...watched,
    NAME(info.kind),
    ...scope,
  ]);
  return paths;
}

interface Place {
  collection: string;
  scope: readonly Parameter[];
  words: string;
  published: Published;
}

function putSubresource(
  paths: Record<string, PathItem>,
  info: KindInfo,
  { name, verbs, ...gvk }: SubresourceInfo,
  { collection, scope, words, published }: Place,
): void {
  const path = `${collection}/{name}/${name}`;
  const suffix = `${words}${capital(name)}`;
  if (CONNECTED.has(name)) {
    const kind = OPTIONS_KINDS[name] ?? `${info.kind}ProxyOptions`;
    const what: Described = { ...published, gvk: { ...gvk, kind }, isRoot: false, subresource: name };
    const isProxy = name === "proxy";
    const methods = isProxy
      ? PROXIED
      : ["get", "create"].filter((verb) => verbs.includes(verb)).map((verb) => METHODS[verb]!.method);
    const operations = (end: string) =>
      Object.fromEntries(methods.map((method) => [method, connect(method, suffix + end, info, what)]));
    const parameters = [...connectParameters(name), NAME(kind), ...scope];
    put(paths, path, operations(""), parameters);
    if (isProxy) put(paths, `${path}/{path}`, operations("WithPath"), [...parameters, PATH()]);
    return;
  }
  const isOwn = gvk.kind === info.kind && gvk.group === info.group;
  const names = isOwn ? published : publishedOf(gvk);
  const what: Described = {
    ...(names ?? { object: "", list: "" }),
    isCustom: published.isCustom,
    gvk,
    isRoot: false,
    subresource: name,
  };
  const operations = verbs
    .filter((verb) => METHODS[verb])
    .map((verb) => [METHODS[verb]!.method, operation(verb, suffix, info, what)] as const);
  const parameters = [NAME(isOwn ? info.kind : gvk.kind), ...scope, ...connectParameters(name), PRETTY()];
  put(paths, path, Object.fromEntries(operations), parameters);
}

/** Adds a path; a parameter that each of its operations has is the path's, as the published documents have it. */
function put(
  paths: Record<string, PathItem>,
  path: string,
  operations: Record<string, Operation>,
  parameters: readonly Parameter[],
): void {
  const all = Object.values(operations);
  const [first, ...others] = all;
  if (!first) return;
  const common = (first.parameters ?? []).filter((each) => others.every((other) => other.parameters?.includes(each)));
  const left = all.map(({ parameters: own = [], ...rest }) => {
    const remaining = own.filter((each) => !common.includes(each));
    return remaining.length > 0 ? { ...rest, parameters: remaining } : rest;
  });
  const methods = Object.keys(operations);
  paths[path] = {
    ...Object.fromEntries(methods.map((method, i) => [method, left[i]])),
    parameters: [...common, ...parameters].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
