import type { CustomResourceDefinitionObject, DefinitionNames } from "../../api/custom/definition.ts";
import { sameJson } from "../../api/equality.ts";
import { BOOTSTRAP_LEVELS, BOOTSTRAP_SCHEMAS } from "../../api/flow-control/bootstrap-configuration.ts";
import type { KubeObject } from "../../api/object.ts";
import type { DefinitionHead } from "../protocol.ts";

export const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";

/** Whoever deletes a definition waits for this finalizer: first its instances go. */
export const CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

export const isEnding = ({ metadata }: Readonly<CustomResourceDefinitionObject>): boolean =>
  Boolean(metadata.deletionTimestamp) && (metadata.finalizers ?? []).includes(CLEANUP);

/** What the names of all definitions are told apart by; also of those that are not served. */
export interface DefinitionClaim {
  readonly name: string;
  readonly group: string;
  readonly names: DefinitionNames;
  readonly acceptedNames: DefinitionNames | undefined;
  readonly isEnding: boolean;
}

export const claimOf = (definition: Readonly<CustomResourceDefinitionObject>): DefinitionClaim => ({
  name: definition.metadata.name,
  group: definition.spec.group,
  names: definition.spec.names,
  acceptedNames: definition.status?.acceptedNames,
  isEnding: isEnding(definition),
});

/** What every home has to know whole. */
export const SHARED_RESOURCES = [
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "mutatingadmissionpolicies.admissionregistration.k8s.io",
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "flowschemas.flowcontrol.apiserver.k8s.io",
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
] as const;

/** What every home has to know of an object of `SHARED_RESOURCES`. */
export const sharedPart = (resource: string, object: KubeObject): KubeObject =>
  resource.endsWith(".flowcontrol.apiserver.k8s.io") ? limitsPart(object) : object;

/** Every cluster has two dozen of these, mostly as they have always been: what those say is known everywhere. */
function limitsPart({ apiVersion, kind, metadata: { name, uid }, spec }: KubeObject): KubeObject {
  const bootstrap: readonly { name: string; spec: object }[] =
    kind === "FlowSchema" ? BOOTSTRAP_SCHEMAS : BOOTSTRAP_LEVELS;
  const isAsAlways = bootstrap.some((object) => object.name === name && sameJson(object.spec, spec));
  return { apiVersion, kind, metadata: { name, ...(uid && { uid }) }, ...(!isAsAlways && { spec }) };
}

/** Of these the catalog is made. */
export const CATALOG_RESOURCES: ReadonlySet<string> = new Set([DEFINITIONS, ...SHARED_RESOURCES]);

export const hasCondition = ({ status }: Readonly<CustomResourceDefinitionObject>, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

/** Undefined where nothing is served by it: its names are another's. */
export function headOf(
  definition: Readonly<CustomResourceDefinitionObject>,
  since: number,
): DefinitionHead | undefined {
  if (!hasCondition(definition, "Established") && !hasCondition(definition, "NamesAccepted")) return undefined;
  const { apiVersion, kind, metadata, spec, status } = definition;
  const { name, uid, generation } = metadata;
  const conditions = (status?.conditions ?? []).map((condition) => ({
    type: condition.type,
    status: condition.status,
  }));
  return {
    since,
    definition: {
      apiVersion,
      kind,
      metadata: { name, ...(uid && { uid }), ...(generation !== undefined && { generation }) },
      spec: {
        group: spec.group,
        names: spec.names,
        scope: spec.scope,
        conversion: { strategy: spec.conversion?.strategy ?? "None" },
        versions: spec.versions.map(({ schema: _, additionalPrinterColumns: __, ...version }) => version),
      },
      status: { ...(status?.acceptedNames && { acceptedNames: status.acceptedNames }), conditions },
    },
  };
}
