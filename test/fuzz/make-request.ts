import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { definitionOf } from "../../api/schema/facts.ts";
import { type Arbitrary, arbitraryObject } from "../support/arbitrary-object.ts";
import { LIVES } from "../support/resource-lives.ts";
import type { Endpoint } from "./endpoints.ts";
import { mutated, mutatedBytes, nasty } from "./mutate.ts";
import type { Random } from "./random.ts";

export interface FuzzRequest {
  method: string;
  path: string;
  query: [string, string][];
  headers: Record<string, string>;
  body: Buffer | undefined;
}

type Json = Record<string, any>;

/** Few, so that requests meet what others left. */
const NAMESPACES = ["default", "fuzz", "other"];
const NAMES = ["a", "b", "c", "fuzz", "kubernetes"];
const NASTY_SEGMENTS = ["", ".", "..", "%2e%2e", "%00", "%ff", "%F0%9F%9A%A2", "A_b", "a".repeat(300), "%2F", "a:b"];
const FIXED = [
  "/",
  "/api",
  "/apis",
  "/version",
  "/healthz",
  "/livez/etcd",
  "/readyz",
  "/metrics",
  "/openapi/v2",
].concat([
  "/openapi/v3",
  "/openapi/v3/api/v1",
  "/openapi/v3/apis/apps/v1",
  "/.well-known/openid-configuration",
  "/nothing",
]);
const METHODS = ["GET", "GET", "GET", "POST", "POST", "POST", "PUT", "PUT", "PATCH", "PATCH", "PATCH", "DELETE"];
const ODD_METHODS = ["OPTIONS", "TRACE", "PURGE"];

const NUMBERS = ["0", "1", "-1", "5", "1e3", "9223372036854775807", "99999999999999999999", "x", "", "0x1", "1.5"];
const BOOLEANS = ["true", "false", "1", "0", "", "yes"];
const SELECTORS = [
  "",
  "a=b",
  "a!=b",
  "a in (b,c)",
  "!a",
  "a",
  ",",
  "a=",
  "=b",
  "a in (",
  "metadata.name=a",
  "a>1",
].concat([
  "status.phase=Running",
  "spec.nodeName!=x",
  "metadata.namespace=default",
  "a".repeat(300),
  "é=1",
  "a\\,b=c\\=d",
]);
const QUERY: Record<string, readonly string[]> = {
  fieldManager: ["me", "", "a".repeat(129), "\u0000"],
  fieldValidation: ["Strict", "Warn", "Ignore", "Never"],
  dryRun: ["All", "None", ""],
  force: BOOLEANS,
  pretty: BOOLEANS,
  labelSelector: SELECTORS,
  fieldSelector: SELECTORS,
  limit: NUMBERS,
  continue: ["a", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0", "{}", "%"],
  resourceVersion: NUMBERS,
  resourceVersionMatch: ["Exact", "NotOlderThan", "Other"],
  timeoutSeconds: ["1", "0", "-1", "x"],
  timeout: ["1s", "0", "-1s", "x", "1000000h"],
  watch: BOOLEANS,
  sendInitialEvents: BOOLEANS,
  allowWatchBookmarks: BOOLEANS,
  gracePeriodSeconds: NUMBERS,
  propagationPolicy: ["Orphan", "Foreground", "Background", "Other"],
  orphanDependents: BOOLEANS,
  includeObject: ["None", "Metadata", "Object", "All"],
  tailLines: NUMBERS,
  sinceTime: ["2026-01-01T00:00:00Z", "x"],
  container: ["c", "", "x"],
  command: ["ls", ""],
  stdin: BOOLEANS,
  ports: NUMBERS,
  path: ["/", "..", "%"],
  "": [""],
  __proto__x: ["1"],
};
const ACCEPT = [
  "application/json",
  "application/yaml",
  "application/cbor",
  "application/vnd.kubernetes.protobuf",
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/json;as=Other;v=v1;g=x",
  "application/json;stream=watch",
  "application/vnd.kubernetes.protobuf;stream=watch",
  "text/html;q=0.9,*/*;q=0.1",
  ";;;,,,q=",
  "",
];
const CONTENT_TYPES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/cbor",
].concat(["text/plain", "", "application/json; charset=utf-8", ";", "application/json;as=Table"]);
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const HEADERS: Record<string, readonly string[]> = {
  "accept-encoding": ["gzip", "identity", "*;q=0", "br", ";;"],
  "user-agent": ["", "a/b (c) d", "\u00e9".repeat(100), "/"],
  "audit-id": ["x", "a".repeat(2_000)],
  "impersonate-user": ["other", "", "system:serviceaccount:default:default"],
  "impersonate-group": ["system:masters", ""],
  "impersonate-extra-a%zz": ["1"],
  "content-encoding": ["gzip", "br", "identity"],
  "if-none-match": ['"x"', "*"],
  connection: ["Upgrade", "close"],
  upgrade: ["websocket", "SPDY/3.1"],
  "sec-websocket-protocol": ["v5.channel.k8s.io", "base64url.bearer.authorization.k8s.io.eA"],
  "x-forwarded-host": ["evil\\"],
};

/** Makes requests of what is served, of what was stored, and of what is wrong. */
export class RequestMaker {
  readonly #random: Random;
  readonly #endpoints: readonly Endpoint[];
  /** Objects that were answered, by resource; bytes of some in protobuf. */
  readonly #seen = new Map<string, Json[]>();
  readonly #bytes: Buffer[] = [];
  readonly #arbitrary = new Map<string, Arbitrary>();

  constructor(random: Random, endpoints: readonly Endpoint[]) {
    this.#random = random;
    this.#endpoints = endpoints;
    for (const { root, resource, object } of LIVES) {
      const endpoint = endpoints.find((each) => each.root === root && each.resource === resource && !each.subresource);
      if (endpoint) this.#keep(endpoint, { apiVersion: apiVersionOf(endpoint), kind: endpoint.kind, ...object });
    }
  }

  /** What an answer held is what later requests are made of. */
  learn(request: FuzzRequest, bytes: Buffer): void {
    if (bytes.subarray(0, 3).toString() === "k8s") {
      if (this.#bytes.length < SEEN_MAX) this.#bytes.push(bytes);
      else this.#bytes[this.#random.below(SEEN_MAX)] = bytes;
      return;
    }
    if (request.method === "DELETE" || bytes.length > SEEN_BYTES_MAX) return;
    let object: Json;
    try {
      object = JSON.parse(bytes.toString("utf8"));
    } catch {
      return; // YAML, a watch, a text.
    }
    const endpoint = this.#endpoints.find((each) => !each.subresource && each.kind === object?.["kind"]);
    if (endpoint) this.#keep(endpoint, object);
  }

  #keep({ resource }: Endpoint, object: Json): void {
    const seen = this.#seen.get(resource) ?? [];
    this.#seen.set(resource, seen);
    if (seen.length < SEEN_MAX) seen.push(object);
    else seen[this.#random.below(SEEN_MAX)] = object;
  }

  next(): FuzzRequest {
    const random = this.#random;
    const endpoint = random.pick(this.#endpoints);
    const method = random.once(60) ? random.pick(ODD_METHODS) : random.pick(METHODS);
    const headers: Record<string, string> = {};
    if (!random.once(3)) headers["accept"] = random.pick(ACCEPT);
    const body = this.#bodyOf(endpoint, method, headers);
    while (random.once(6)) {
      const name = random.pick(Object.keys(HEADERS));
      headers[name] = random.pick(HEADERS[name]!);
    }
    return { method, path: this.#pathOf(endpoint, method), query: this.#queryOf(method), headers, body };
  }

  #pathOf({ root, resource, subresource, namespaced }: Endpoint, method: string): string {
    const random = this.#random;
    if (random.once(40)) return random.pick(FIXED);
    const isNamed = subresource !== undefined || (method === "POST" ? random.once(10) : !random.once(3));
    const segments = [root.slice(1)];
    if (random.once(30)) segments.unshift("at", random.pick(["1m", "2026-01-01T00:00:00Z", "x", "-1"]));
    if (namespaced && !random.once(15)) segments.push("namespaces", random.pick(NAMESPACES));
    segments.push(resource);
    if (isNamed) segments.push(random.pick(NAMES));
    if (subresource) segments.push(...subresource.split("/"));
    if (random.once(20))
      segments.splice(random.below(segments.length + 1), random.below(2), random.pick(NASTY_SEGMENTS));
    return `/${segments.join("/")}`;
  }

  #queryOf(method: string): [string, string][] {
    const random = this.#random;
    const query: [string, string][] = [];
    while (random.once(2)) {
      const name = random.pick(Object.keys(QUERY));
      query.push([
        name,
        random.once(12) ? (JSON.stringify(nasty(random)) ?? "").slice(0, 2_000) : random.pick(QUERY[name]!),
      ]);
    }
    // Much is refused for want of them.
    if (method === "PATCH" && !random.once(5)) query.push(["fieldManager", "fuzz"], ["force", "true"]);
    return query;
  }

  #bodyOf(endpoint: Endpoint, method: string, headers: Record<string, string>): Buffer | undefined {
    const random = this.#random;
    if ((method === "GET" || method === "HEAD") && !random.once(40)) return undefined;
    if (method === "DELETE" && !random.once(3)) return undefined;
    headers["content-type"] = random.once(15) ? random.pick(CONTENT_TYPES) : "application/json";
    if (method === "PATCH" && !random.once(15)) headers["content-type"] = random.pick(PATCH_TYPES);
    if (this.#bytes.length > 0 && random.once(10)) {
      headers["content-type"] = "application/vnd.kubernetes.protobuf";
      return mutatedBytes(random.pick(this.#bytes), random);
    }
    const value =
      method === "DELETE" ? this.#deleteOptions() : this.#valueOf(endpoint, method, headers["content-type"]);
    let text = JSON.stringify(random.once(3) ? value : mutated(value, random)) ?? "";
    if (random.once(40)) text = text.slice(0, random.below(text.length + 1));
    if (random.once(100)) text = random.pick(["[", '{"a":', "- ", "&a [*a,"]).repeat(100_000);
    if (random.once(60)) text = text.replace("{", '{"metadata":{},"kind":"Other",');
    const bytes = Buffer.from(text);
    return random.once(40) ? mutatedBytes(random.once(2) ? gzipSync(bytes) : bytes, random) : bytes;
  }

  #deleteOptions(): Json {
    const random = this.#random;
    return {
      kind: "DeleteOptions",
      apiVersion: "v1",
      ...(random.once(2) && { propagationPolicy: random.pick(QUERY["propagationPolicy"]!) }),
      ...(random.once(2) && { gracePeriodSeconds: random.below(3) - 1 }),
      ...(random.once(4) && { preconditions: { uid: "x", resourceVersion: "1" } }),
    };
  }

  #valueOf(endpoint: Endpoint, method: string, contentType: string): unknown {
    const random = this.#random;
    const object = this.#objectOf(endpoint);
    if (method !== "PATCH") return object;
    if (contentType === PATCH_TYPES[0])
      return Array.from({ length: 1 + random.below(4) }, () => this.#operation(object));
    if (contentType === PATCH_TYPES[3]) {
      delete object["metadata"]?.managedFields;
      return object;
    }
    const keys = Object.keys(object).filter(() => random.once(2));
    const patch: Json = Object.fromEntries(keys.map((key) => [key, object[key]]));
    if (random.once(6)) patch["$patch"] = random.pick(["replace", "delete", "merge", "other"]);
    if (random.once(6)) patch["$retainKeys"] = ["spec", 1];
    return patch;
  }

  #operation(object: Json): Json {
    const random = this.#random;
    const path = () => {
      let at: any = object;
      let pointer = "";
      while (typeof at === "object" && at !== null && Object.keys(at).length > 0 && !random.once(4)) {
        const key = random.pick(Object.keys(at));
        pointer += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        at = at[key];
      }
      return random.once(10) ? `${pointer}/${random.pick(["-", "-1", "99999999", "~2", "__proto__", ""])}` : pointer;
    };
    const op = random.pick(["add", "remove", "replace", "move", "copy", "test", "other"]);
    return { op, path: path(), from: path(), value: random.once(2) ? nasty(random) : object["metadata"] };
  }

  /** One that was seen, or one of the schema; a name that others use. */
  #objectOf(endpoint: Endpoint): Json {
    const random = this.#random;
    const { group, version, kind, resource } = endpoint;
    const seen = this.#seen.get(resource);
    let object: Json;
    if (seen && !random.once(4)) object = structuredClone(random.pick(seen));
    else if (definitionOf(group, version, kind)) object = this.#sample(endpoint);
    else object = { apiVersion: apiVersionOf(endpoint), kind, spec: {} };
    if (typeof object["metadata"] !== "object" || object["metadata"] === null) object["metadata"] = {};
    if (!random.once(8)) object["metadata"].name = random.pick(NAMES);
    if (random.once(2)) delete object["metadata"].resourceVersion;
    if (random.once(2)) delete object["metadata"].uid;
    if (random.once(2)) delete object["metadata"].namespace;
    return object;
  }

  #sample({ group, version, kind }: Endpoint): Json {
    const key = `${group}/${version}/${kind}`;
    const known = this.#arbitrary.get(key) ?? arbitraryObject({ group, version, kind });
    this.#arbitrary.set(key, known);
    return structuredClone(fc.sample(known, { seed: this.#random.below(2 ** 31), numRuns: 1 })[0]!);
  }
}

/** So many objects of a resource are remembered, none of them larger. */
const SEEN_MAX = 20;
const SEEN_BYTES_MAX = 100_000;

const apiVersionOf = ({ group, version }: Endpoint): string => (group ? `${group}/${version}` : version);
