import { equalJson } from "../json-value.ts";
import type {
  CustomResourceDefinitionObject,
  DefinitionVersion,
  JsonSchema,
  PrinterColumn,
  ScaleSubresource,
} from "./definition.ts";

/**
 * A definition as upstream's validation sees it: what all versions have alike stands once, beside the versions. So are the paths of
 * its errors (`spec.validation.openAPIV3Schema…` of a definition with one version).
 */
export interface InternalVersion {
  readonly name: string;
  readonly schema: { openAPIV3Schema?: JsonSchema } | undefined;
  readonly subresources: { status?: object; scale?: ScaleSubresource } | undefined;
  readonly additionalPrinterColumns: readonly PrinterColumn[];
  readonly selectableFields: readonly { jsonPath: string }[];
  readonly given: DefinitionVersion;
}

export interface InternalSpec extends Omit<InternalVersion, "name" | "given"> {
  readonly versions: readonly InternalVersion[];
}

/** apiextensions/v1 conversion.go. */
export function internalSpecOf({ spec }: CustomResourceDefinitionObject): InternalSpec {
  const given = spec.versions ?? [];
  const [first] = given;
  const isSame = (field: keyof DefinitionVersion, empty?: unknown): boolean =>
    first !== undefined && given.every((version) => equalJson(version[field] ?? empty, first[field] ?? empty));
  const shared = {
    schema: isSame("schema"),
    subresources: isSame("subresources"),
    additionalPrinterColumns: isSame("additionalPrinterColumns", []),
    selectableFields: isSame("selectableFields", []),
  };
  return {
    schema: shared.schema ? first!.schema : undefined,
    subresources: shared.subresources ? first!.subresources : undefined,
    additionalPrinterColumns: (shared.additionalPrinterColumns && first!.additionalPrinterColumns) || [],
    selectableFields: (shared.selectableFields && first!.selectableFields) || [],
    versions: given.map((version) => ({
      name: version.name,
      schema: shared.schema ? undefined : version.schema,
      subresources: shared.subresources ? undefined : version.subresources,
      additionalPrinterColumns: shared.additionalPrinterColumns ? [] : (version.additionalPrinterColumns ?? []),
      selectableFields: shared.selectableFields ? [] : (version.selectableFields ?? []),
      given: version,
    })),
  };
}

/** Versions as messages show them: with upstream's names, without the schemas, which would be all of the message. */
export const goVersions = ({ versions }: InternalSpec): unknown[] =>
  versions.map(({ given, name }) => ({
    Name: name,
    Served: given.served,
    Storage: given.storage,
    Deprecated: given.deprecated ?? false,
    DeprecationWarning: given.deprecationWarning ?? null,
  }));
