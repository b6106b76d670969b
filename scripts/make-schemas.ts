/**
 * `make-schemas SPEC.json [GO_CHECKOUT…]`: writes api/schema/facts.json, the compact facts about the built-in kinds.
 *
 * SPEC.json is the published OpenAPI v2 document of a Kubernetes release. GO_CHECKOUT are folders with the sources of
 * k8s.io/api, apimachinery, apiextensions-apiserver and kube-aggregator of the same release: which fields are pointers, which are left out when empty, and
 * how a Go program names a type in an error are facts that users see, and that the spec does not tell.
 * The format is explained where it is read, in api/schema/facts.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { definitionText, shortName } from "./encode-definition.ts";
import type { Spec, SpecDefinition } from "./published-spec.ts";
import { readGoTypes } from "./read-go-types.ts";

interface Gvk {
  group: string;
  version: string;
  kind: string;
}
/** Served by later issues, when there is something behind them. */
export const LEFT_OUT_KINDS =
  /^(TokenReview|TokenRequest|.*AccessReview|.*RulesReview|SelfSubjectReview|ComponentStatus)$/;
export const LEFT_OUT_SUBRESOURCES: ReadonlySet<string> = new Set(["serviceaccounts/token", "nodes/proxy"]);
const METHOD_VERBS: Record<string, string> = {
  get: "get",
  post: "create",
  put: "update",
  patch: "patch",
  delete: "delete",
};
/** A definition that is the list of a kind: it follows from the kind, and is not among the facts. */
export const isListOfKind = ({ properties = {} }: SpecDefinition): boolean =>
  Object.keys(properties).sort().join() === "apiVersion,items,kind,metadata";

interface Resource {
  gvk: Gvk;
  group: string;
  version: string;
  resource: string;
  namespaced: boolean;
  verbs: Set<string>;
  subresources: Map<string, { gvk: Gvk; verbs: Set<string> }>;
}

const PATH =
  /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/(watch\/)?(namespaces\/\{namespace\}\/)?([a-z]+)(?:\/(\{name\})(?:\/([a-z]+))?)?$/;

/** The served resources by `group/version/resource`, read off the paths. */
export function readResources(spec: Spec): Map<string, Resource> {
  const resources = new Map<string, Resource>();
  for (const [path, item] of Object.entries(spec.paths)) {
    const match = PATH.exec(path);
    if (!match) continue;
    const [, core, group = "", groupVersion, watch, namespaced, resource = "", name, subresource] = match;
    if (subresource && LEFT_OUT_SUBRESOURCES.has(`${resource}/${subresource}`)) continue;
    for (const [method, operation] of Object.entries(item)) {
      const gvk: Gvk | undefined = operation?.["x-kubernetes-group-version-kind"];
      if (!gvk || LEFT_OUT_KINDS.test(gvk.kind)) continue;
      const version = core ?? groupVersion ?? "";
      const key = `${group}/${version}/${resource}`;
      const entry = resources.get(key) ?? {
        gvk,
        group,
        version,
        resource,
        namespaced: false,
        verbs: new Set<string>(),
        subresources: new Map(),
      };
      resources.set(key, entry);
      if (namespaced) entry.namespaced = true;
      if (subresource) {
        const sub = entry.subresources.get(subresource) ?? { gvk, verbs: new Set<string>() };
        entry.subresources.set(subresource, sub);
        // HEAD and OPTIONS of what is proxied are no verbs of their own.
        if (METHOD_VERBS[method]) sub.verbs.add(METHOD_VERBS[method]);
        continue;
      }
      entry.gvk = gvk;
      if (watch) entry.verbs.add("watch");
      else if (name || method === "post") entry.verbs.add(METHOD_VERBS[method] ?? method);
      else entry.verbs.add(method === "delete" ? "deletecollection" : "list");
    }
  }
  return resources;
}

const gvkKey = (gvk: Gvk): string => `${gvk.group}/${gvk.version}/${gvk.kind}`;

const sorted = (verbs: Set<string>): string => [...verbs].sort().join(",");

/** The facts as facts.json holds them. */
export function makeFacts(spec: Spec, checkouts: string[]) {
  const resources = readResources(spec);
  const byGvk = new Map<string, string>();
  for (const [name, definition] of Object.entries(spec.definitions)) {
    for (const gvk of (definition["x-kubernetes-group-version-kind"] ?? []) as Gvk[]) {
      if (definition["x-kubernetes-group-version-kind"].length === 1) byGvk.set(gvkKey(gvk), name);
    }
  }
  const kinds = new Map<string, string>();
  for (const [key, name] of byGvk) if (!isListOfKind(spec.definitions[name]!)) kinds.set(key, shortName(name));
  const versions: Record<string, string[]> = {};
  for (const entry of [...resources.values()].sort((a, b) => (a.resource < b.resource ? -1 : 1))) {
    const subresources = [...entry.subresources].sort().map(([name, { gvk, verbs }]) => {
      const same = gvk.kind === entry.gvk.kind && gvk.group === entry.group && gvk.version === entry.version;
      return `${name}:${sorted(verbs)}${same ? "" : `:${gvkKey(gvk)}`}`;
    });
    const key = `${entry.group}/${entry.version}`;
    versions[key] ??= [];
    versions[key].push(
      [entry.resource, entry.gvk.kind, entry.namespaced ? "1" : "0", sorted(entry.verbs), ...subresources].join(" "),
    );
  }
  const names = Object.keys(spec.definitions)
    .filter((name) => !isListOfKind(spec.definitions[name]!))
    .sort();
  const goTypes = readGoTypes(checkouts);
  return {
    names: names.map(shortName).join(" "),
    definitions: names.map((name) => definitionText(name, spec.definitions[name]!, names, goTypes)),
    kinds: Object.fromEntries([...kinds].sort()),
    resources: Object.fromEntries(Object.entries(versions).sort()),
  };
}

if (import.meta.main) {
  const [specPath, ...checkouts] = process.argv.slice(2);
  if (!specPath) {
    console.error("usage: make-schemas SPEC.json [GO_CHECKOUT…]");
    process.exit(2);
  }
  const text = `${JSON.stringify(makeFacts(JSON.parse(readFileSync(specPath, "utf8")), checkouts), null, 0)}\n`;
  writeFileSync(new URL("../api/schema/facts.json", import.meta.url), text);
  console.log(`api/schema/facts.json: ${text.length} bytes, ${gzipSync(text).length} gzipped`);
}
