import type { KindInfo, SubresourceInfo } from "../kind.ts";
import { allKinds, groups, kindsOf } from "../kinds.ts";
import { definitionNamed, definitionOf, factsHash } from "./facts.ts";
import { itemPaths, type PathItem } from "./openapi-paths.ts";
import { type OpenApiSchema, publishedName, refTo, schemaOf } from "./openapi-schema.ts";

/** To be raised when what is made of the facts changes: clients keep documents by their hash. */
const FORMAT = 1;

const LIST_META = "~apis.meta.v1.ListMeta";
const DELETE_OPTIONS = "~apis.meta.v1.DeleteOptions";
const STATUS = "~apis.meta.v1.Status";

/** `api/v1`, `apis/apps/v1`: how the documents are named. */
const documentName = (group: string, version: string): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

/** The answer of `/openapi/v3`: where each group version's document is, with a hash of what is in it. */
export function openapiV3Index(): { paths: Record<string, { serverRelativeURL: string }> } {
  const paths: Record<string, { serverRelativeURL: string }> = {};
  for (const { name, versions } of groups) {
    for (const version of versions) {
      const document = documentName(name, version);
      const hash = factsHash(`${FORMAT} ${document}`);
      paths[document] = { serverRelativeURL: `/openapi/v3/${document}?hash=${hash}` };
    }
  }
  return { paths };
}

const documents = new Map<string, string>();

/** The text of one document (`api/v1`, `apis/apps/v1`), or undefined where that is not served. */
export function openapiV3(name: string): string | undefined {
  const known = documents.get(name);
  if (known !== undefined) return known;
  const kinds = kindsOfDocument(name);
  if (kinds.length === 0) return undefined;
  const text = JSON.stringify(makeDocument(kinds));
  documents.set(name, text);
  return text;
}

function kindsOfDocument(name: string): readonly KindInfo[] {
  const [root, ...rest] = name.split("/");
  const [group, version] = root === "api" ? ["", rest[0]] : [rest[0], rest[1]];
  if (group === undefined || version === undefined || name !== documentName(group, version)) return [];
  return kindsOf(group, version);
}

/** What a document tells of: the paths of the kinds, and the schemas that these refer to. */
export interface OpenApiParts {
  paths: Record<string, PathItem>;
  schemas: Record<string, OpenApiSchema>;
}

/** The parts of a document about these kinds. */
export function openapiParts(kinds: readonly KindInfo[]): OpenApiParts {
  const paths: Record<string, PathItem> = {};
  for (const info of kinds) Object.assign(paths, itemPaths(info));
  return { paths, schemas: makeSchemas(kinds) };
}

function makeDocument(kinds: readonly KindInfo[]): Record<string, unknown> {
  const { paths, schemas } = openapiParts(kinds);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.36.0" },
    paths,
    components: {
      schemas,
      securitySchemes: {
        BearerToken: {
          type: "apiKey",
          description: "Bearer Token authentication",
          name: "authorization",
          in: "header",
        },
      },
    },
  };
}

function makeSchemas(kinds: readonly KindInfo[]): Record<string, OpenApiSchema> {
  const schemas: Record<string, OpenApiSchema> = {};
  const queue: string[] = [DELETE_OPTIONS, STATUS];
  const gvks = new Map<string, { group: string; kind: string; version: string }[]>();
  const note = ({ group, version, kind }: Pick<SubresourceInfo, "group" | "version" | "kind">) => {
    const definition = definitionOf(group, version, kind);
    if (!definition || gvks.has(definition.name)) return;
    gvks.set(definition.name, [{ group, kind, version }]);
    queue.push(definition.name);
  };
  for (const info of kinds) {
    note(info);
    info.subresources.forEach(note);
    if (info.verbs.includes("list")) {
      const definition = definitionOf(info.group, info.version, info.kind)!;
      schemas[`${publishedName(definition.name)}List`] = listSchema(info, definition.name);
      queue.push(LIST_META);
    }
  }
  gvks.set(STATUS, [{ group: "", kind: "Status", version: "v1" }]);
  gvks.set(DELETE_OPTIONS, deleteOptionsGvks());
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const published = publishedName(name);
    if (schemas[published]) continue;
    const schema = schemaOf(definitionNamed(name)!, (needed) => queue.push(needed));
    const gvk = gvks.get(name);
    schemas[published] = gvk ? { ...schema, "x-kubernetes-group-version-kind": gvk } : schema;
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** DeleteOptions are a kind of every group version. */
function deleteOptionsGvks(): { group: string; kind: string; version: string }[] {
  const seen = new Map(allKinds().map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return [...seen.values()].map(({ group, version }) => ({ group, kind: "DeleteOptions", version }));
}

const listSchema = (info: KindInfo, name: string): OpenApiSchema => ({
  type: "object",
  required: ["items"],
  properties: {
    apiVersion: { type: "string" },
    items: { type: "array", items: { allOf: [refTo(name)], default: {} } },
    kind: { type: "string" },
    metadata: { allOf: [refTo(LIST_META)], default: {} },
  },
  "x-kubernetes-group-version-kind": [{ group: info.group, kind: `${info.kind}List`, version: info.version }],
});
