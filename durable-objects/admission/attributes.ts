import type { Attributes, Equivalent, Operation } from "../../api/admission/attributes.ts";
import type { KindInfo } from "../../api/kind.ts";
import { allKinds, storageKind } from "../../api/kinds.ts";
import type { KubeObject } from "../../api/object.ts";
import { convert } from "../../api/schema/convert.ts";
import { resourceName } from "../../api/status.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { copyOf } from "../verbs/scope.ts";
import { type Served, servedIn } from "../verbs/served.ts";
import type { Admission } from "./plugin.ts";

const OPERATIONS = {
  create: "CREATE",
  update: "UPDATE",
  delete: "DELETE",
  connect: "CONNECT",
} as const satisfies Record<Admission["operation"], Operation>;

/** A write as webhooks and policies see it. The objects are those of the admission, unless a guise shows others. */
export function attributesOf(admission: Admission): Attributes {
  const { operation, served, subresource, namespace, name, user, dryRun, guise, object, previous, catalog } = admission;
  const { group, version, resource, kind } = served.info;
  const isNamespace = group === "" && resource === "namespaces";
  return {
    operation: OPERATIONS[operation],
    kind: guise?.kind ?? { group, version, kind },
    resource: { group, version, resource },
    subresource,
    name,
    namespace: isNamespace ? name : namespace,
    user,
    dryRun,
    options: optionsOf(admission),
    object: operation === "delete" ? undefined : shown(guise, object),
    oldObject: previous && shown(guise, previous),
    equivalents: equivalentsOf(served, subresource, guise, catalog),
  };
}

const shown = (guise: Admission["guise"], object: Readonly<KubeObject>): Readonly<KubeObject> =>
  guise ? guise.show(object) : object;

const OPTIONS_KINDS = { create: "CreateOptions", update: "UpdateOptions", delete: "DeleteOptions" } as const;

/** meta.k8s.io/v1 CreateOptions, UpdateOptions (also of a patch) or DeleteOptions. */
function optionsOf({ operation, dryRun, requestOptions, deleteOptions }: Admission): KubeObject | undefined {
  if (operation === "connect") return undefined;
  const { fieldManager, fieldValidation } = requestOptions ?? {};
  const { graceSeconds, uid, resourceVersion, propagation } = deleteOptions ?? {};
  const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  const options = {
    kind: OPTIONS_KINDS[operation],
    apiVersion: "meta.k8s.io/v1",
    ...(graceSeconds !== undefined && { gracePeriodSeconds: graceSeconds }),
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
    ...(propagation && { propagationPolicy: propagation }),
    ...(dryRun && { dryRun: ["All"] }),
    ...(operation !== "delete" && fieldManager && { fieldManager }),
    ...(operation !== "delete" && fieldValidation && { fieldValidation }),
  };
  // It has no metadata: options are not objects, but travel as if they were.
  return options as unknown as KubeObject;
}

const NONE: readonly Equivalent[] = [];
const builtIn = new Map<string, readonly KindInfo[]>();

/** The same objects in other versions, or in another group (events). */
function equivalentsOf(
  served: Served,
  subresource: string,
  guise: Admission["guise"],
  catalog: Catalog,
): readonly Equivalent[] {
  const { info } = served;
  const others = served.custom ? customVersions(info, catalog) : builtInVersions(info);
  if (others.length === 0) return NONE;
  return others.flatMap((other): Equivalent[] => {
    const { group, version, kind, resource } = other;
    if (subresource && !other.subresources.some(({ name }) => name === subresource)) return [];
    return [{ resource: { group, version, resource }, kind: guise?.kind ?? { group, version, kind } }];
  });
}

function builtInVersions(info: KindInfo): readonly KindInfo[] {
  const key = `${info.group}/${info.version}/${info.resource}`;
  let found = builtIn.get(key);
  if (!found) {
    const stored = (each: KindInfo) => resourceName(storageKind(each.group, each.resource) ?? each);
    found = allKinds().filter((each) => each.kind === info.kind && stored(each) === stored(info) && each !== info);
    builtIn.set(key, found);
  }
  return found;
}

const customVersions = (info: KindInfo, catalog: Catalog): readonly KindInfo[] =>
  catalog
    .kinds()
    .filter(
      ({ group, resource, version }) => group === info.group && resource === info.resource && version !== info.version,
    );

type Version = Pick<KindInfo, "group" | "version" | "kind">;

/** Objects of a write as they are in the version that a webhook or a policy asks for, and back. */
export interface Versions {
  show(object: Readonly<KubeObject> | undefined): Readonly<KubeObject> | undefined;
  /** A value that was made of what was shown: decoded, with defaults, as the write works with it. @throws Error where it is no such object. */
  take(value: unknown): KubeObject;
}

/** @param resource that of the invocation, with `kind`. */
export function versionsOf(
  { served, catalog, answers, guise, object: stored }: Admission,
  resource: Pick<KindInfo, "group" | "version" | "resource">,
  kind: Version,
): Versions {
  if (guise) {
    // A Scale, a Binding: one version for all that have it.
    return { show: (object) => object, take: (value) => guise.take(stored, value as KubeObject) };
  }
  const { info } = served;
  if (resource.group === info.group && resource.version === info.version) {
    return {
      show: (object) => object && (served.working === info ? object : served.asInfo(object)),
      take: (value) => served.complete(served.decodeValue(value)),
    };
  }
  const other = servedIn(catalog, resource);
  if (!served.custom) {
    return {
      show: (object) => object && convert(copyOf(object), kind),
      take: (value) => other.complete(other.decodeValue(value)),
    };
  }
  // What it is about is the object itself: one write may ask for many, and each answer is needed in every try.
  const inVersion = (from: Served, to: Served, object: KubeObject) =>
    from.inVersion!(object, to.info, answers, JSON.stringify(object));
  return {
    show: (object) => object && inVersion(served, other, object as KubeObject),
    take: (value) => {
      const taken = inVersion(other, served, other.complete(other.decodeValue(value)));
      return served.complete(served.decodeValue(taken));
    },
  };
}
