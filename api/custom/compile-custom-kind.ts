import { sameJson } from "../equality.ts";
import type { KindInfo, KindRules, SubresourceInfo } from "../kind.ts";
import { apiVersionOf } from "../kinds/define-kind.ts";
import { compareVersions } from "../kinds.ts";
import type { KubeObject } from "../object.ts";
import type { Decoded, FieldValidation, RawDecoded } from "../schema/decode.ts";
import type { Shape } from "../schema/shape.ts";
import { columnsOf } from "./columns.ts";
import type { CustomKind, Verdict } from "./custom-kind.ts";
import { decodeCustomObject, decodeCustomText, decodeCustomValue, decodeStored } from "./decode.ts";
import { setDefaults } from "./default.ts";
import type { CustomResourceDefinitionObject, DefinitionVersion, JsonSchema, ScaleSubresource } from "./definition.ts";
import { compileJsonPath } from "./json-path.ts";
import { shapeOfStructural } from "./shape.ts";
import { type Structural, structuralOf } from "./structural.ts";
import { validateChanged, validateNew, validateStatus } from "./validate.ts";

const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"] as const;
const SUBRESOURCE_VERBS = ["get", "patch", "update"] as const;

/** Each version of a definition that objects are served or stored in, by its name. The definition is not to be changed afterwards. */
export function compileCustomKind(definition: CustomResourceDefinitionObject): ReadonlyMap<string, CustomKind> {
  const used = definition.spec.versions.filter(({ served, storage }) => served || storage);
  return new Map(used.map((version) => [version.name, new Version(definition, version)]));
}

/** Names, verbs and subresources of one version, without a look at its schema. */
function customKindInfo({ spec, status }: CustomResourceDefinitionObject, version: DefinitionVersion): KindInfo {
  const names = status?.acceptedNames?.kind ? status.acceptedNames : spec.names;
  const kind = { group: spec.group, version: version.name, kind: names.kind };
  const subresource = (name: string, of = kind): SubresourceInfo => ({ name, ...of, verbs: SUBRESOURCE_VERBS });
  return {
    ...kind,
    resource: names.plural,
    namespaced: spec.scope === "Namespaced",
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: VERBS,
    subresources: [
      ...(version.subresources?.status ? [subresource("status")] : []),
      ...(version.subresources?.scale
        ? [subresource("scale", { group: "autoscaling", version: "v1", kind: "Scale" })]
        : []),
    ],
  };
}

class Version implements CustomKind {
  readonly info: KindInfo;
  readonly listKind: string;
  readonly apiVersion: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly hasStatus: boolean;
  readonly deprecationWarning: string | undefined;
  readonly selectablePaths: readonly string[];
  readonly schema: JsonSchema | undefined;
  readonly scale: ScaleSubresource | undefined;
  readonly #version: DefinitionVersion;
  #root: Structural | undefined;
  #shape: Shape | undefined;
  #rules: KindRules<KubeObject> | undefined;

  constructor(definition: CustomResourceDefinitionObject, version: DefinitionVersion) {
    const { spec, status } = definition;
    this.info = customKindInfo(definition, version);
    this.listKind = status?.acceptedNames?.listKind || spec.names.listKind || `${this.info.kind}List`;
    this.apiVersion = apiVersionOf(this.info);
    this.served = version.served;
    this.storage = version.storage;
    this.hasStatus = version.subresources?.status !== undefined;
    this.deprecationWarning = version.deprecated ? deprecationWarning(definition, version) : undefined;
    this.selectablePaths = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ""));
    this.schema = version.schema?.openAPIV3Schema;
    this.scale = version.subresources?.scale;
    this.#version = version;
  }

  /** Undefined where the version has no schema. */
  get root(): Structural | undefined {
    if (this.schema) this.#root ??= structuralOf(this.schema);
    return this.#root;
  }

  get shape(): Shape {
    this.#shape ??= shapeOfStructural(this.root);
    return this.#shape;
  }

  get rules(): KindRules<KubeObject> {
    this.#rules ??= this.#makeRules();
    return this.#rules;
  }

  #makeRules(): KindRules<KubeObject> {
    const paths = this.selectablePaths.map((name) => ({ name, path: compileJsonPath(`.${name}`) }));
    return {
      columns: columnsOf(this.#version),
      withoutAge: true,
      hasGeneration: true,
      prepareForCreate: (object) => {
        if (this.hasStatus) delete object["status"];
        object.metadata.generation = 1;
      },
      prepareForUpdate: (next, previous) => {
        if (this.hasStatus) {
          if (previous["status"] === undefined) delete next["status"];
          else next["status"] = previous["status"];
        }
        if (hasChanged(next, previous)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
      },
      ...(paths.length > 0 && {
        selectableFields: (object) =>
          Object.fromEntries(paths.map(({ name, path }) => [name, String(path?.(object)?.[0] ?? "")])),
      }),
      ...(this.scale && { scale: scaleRule(this.scale) }),
    };
  }

  decodeText(text: string, fieldValidation: FieldValidation = "Warn"): Decoded {
    return decodeCustomText(this, text, fieldValidation);
  }

  decodeObject(
    value: unknown,
    fieldValidation: FieldValidation = "Warn",
    source: { text?: string; duplicates?: readonly string[] } = {},
  ): Decoded {
    return decodeCustomObject(this, value, fieldValidation, source);
  }

  decodeValue(value: unknown, options: { duplicates?: readonly string[] } = {}): RawDecoded {
    return decodeCustomValue(this, value, options);
  }

  setDefaults(object: KubeObject): void {
    if (this.root) setDefaults(object, this.root);
  }

  present(object: KubeObject): KubeObject {
    decodeStored(this, object);
    this.setDefaults(object);
    return object;
  }

  validate(object: KubeObject): Verdict {
    return validateNew(this, object);
  }

  validateUpdate(next: KubeObject, previous: KubeObject): Verdict {
    return validateChanged(this, next, previous);
  }

  validateStatusUpdate(next: KubeObject, previous: KubeObject): Verdict {
    return validateStatus(this, next, previous);
  }
}

/** Anything but metadata counts. */
function hasChanged(next: KubeObject, previous: KubeObject): boolean {
  const { metadata: _, ...left } = next;
  const { metadata: __, ...right } = previous;
  return !sameJson(left, right);
}

const scaleRule = ({ specReplicasPath, statusReplicasPath, labelSelectorPath = "" }: ScaleSubresource) => ({
  specReplicas: specReplicasPath.replace(/^\./, ""),
  statusReplicas: statusReplicasPath.replace(/^\./, ""),
  selector: labelSelectorPath.replace(/^\./, ""),
});

/** The definition's own words, or the version to use instead. */
function deprecationWarning({ spec }: CustomResourceDefinitionObject, version: DefinitionVersion): string {
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const newer = spec.versions
    .filter(({ served, deprecated, name }) => served && !deprecated && compareVersions(name, version.name) < 0)
    .map(({ name }) => name)
    .sort(compareVersions);
  const instead = newer.length > 0 ? `; use ${spec.group}/${newer[0]} ${spec.names.kind}` : "";
  return `${spec.group}/${version.name} ${spec.names.kind} is deprecated${instead}`;
}
