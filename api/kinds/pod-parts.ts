import { sameJson } from "../equality.ts";
import { type FieldError, fieldForbidden, fieldInvalid } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { PartialUpdate } from "../kind.ts";
import { qosClassOf } from "../pod-qos.ts";
import type { Container, PodSpec } from "../pod-template/types.ts";
import type { PodObject } from "./pod-object.ts";
import { validateEphemeralContainersUpdate } from "./pod-update.ts";

/** Pods of a node's own files, which only their node can change. */
const MIRROR = "kubernetes.io/config.mirror";

const isStatic = (pod: PodObject): boolean => pod.metadata.annotations?.[MIRROR] !== undefined;

/** Replaces all of `next` but its metadata by what was there, and `spec` by `made`. */
function keepBut(next: PodObject, previous: PodObject, made: Partial<PodSpec>): void {
  next.status = structuredClone(previous.status!);
  next.spec = { ...structuredClone(previous.spec), ...made };
  if (!sameJson(next.spec, previous.spec)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
}

/** `pods/ephemeralcontainers`: containers come, and neither go nor change. */
export const ephemeralContainers: PartialUpdate<PodObject> = {
  keep(next, previous) {
    const given = next.spec?.ephemeralContainers;
    keepBut(next, previous, { ephemeralContainers: given ?? [] });
    if (!given?.length) delete next.spec.ephemeralContainers;
  },
  validate(next, previous) {
    if (isStatic(previous)) return [fieldForbidden("", "static pods do not support ephemeral containers")];
    return validateEphemeralContainersUpdate(next, previous);
  },
};

type ContainerLists = "containers" | "initContainers";

/** The containers that were there with the resources that are given; what cannot be put side by side is left for validation. */
function withResources(given: readonly Container[], had: readonly Container[]): Container[] {
  if (given.some(({ name }, i) => name !== had[i]?.name)) return [...given];
  return had.map((container, i) => {
    const { resources, resizePolicy, ...rest } = structuredClone(container);
    return {
      ...rest,
      ...(given[i]!.resources && { resources: given[i]!.resources }),
      ...(given[i]!.resizePolicy && { resizePolicy: given[i]!.resizePolicy }),
    } as Container;
  });
}

/** `pods/resize`: cpu and memory of containers (KEP-1287), and of the pod as a whole. */
export const resize: PartialUpdate<PodObject> = {
  keep(next, previous) {
    const lists: ContainerLists[] = ["containers", "initContainers"];
    const spec = next.spec ?? ({ containers: [] } as PodSpec);
    if (lists.some((list) => (spec[list]?.length ?? 0) !== (previous.spec[list]?.length ?? 0))) return;
    const { resources } = spec;
    const containers = withResources(spec.containers, previous.spec.containers);
    const initContainers = withResources(spec.initContainers ?? [], previous.spec.initContainers ?? []);
    keepBut(next, previous, { containers, ...(initContainers.length > 0 && { initContainers }) });
    if (resources) next.spec.resources = resources;
    else delete next.spec.resources;
  },
  validate(next, previous) {
    if (isStatic(previous)) return [fieldForbidden("", "static pods cannot be resized")];
    if (previous.spec.os?.name === "windows") return [fieldForbidden("", "windows pods cannot be resized")];
    const errors: FieldError[] = [];
    const was = previous.status?.qosClass ?? qosClassOf(previous.spec);
    if (was !== qosClassOf(next.spec)) {
      const why = "Pod QOS Class may not change as a result of resizing";
      errors.push(fieldInvalid(SPEC, next.status?.qosClass ?? "", why));
    }
    if (!canResize(previous)) errors.push(fieldForbidden(SPEC, "Pod running on node without support for resize"));
    for (const list of ["initContainers", "containers"] as const) validateResized(list, next, previous, errors);
    return errors;
  },
};

/** A node that can do it tells of the resources of what runs (version skew, KEP-1287). */
function canResize({ status }: PodObject): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running);
  return !running || (running as { resources?: unknown }).resources !== undefined;
}

function validateResized(list: ContainerLists, next: PodObject, previous: PodObject, errors: FieldError[]): void {
  const [is, was] = [next.spec[list] ?? [], previous.spec[list] ?? []];
  if (is.length !== was.length) {
    errors.push(fieldForbidden(SPEC.child(list), `${list} may not be added or removed on resize`));
    return;
  }
  const renamed = is.findIndex(({ name }, i) => name !== was[i]!.name);
  if (renamed >= 0) {
    const why = `${list} may not be renamed or reordered on resize`;
    errors.push(fieldForbidden(SPEC.child(list).index(renamed).child("name"), why));
    return;
  }
  is.forEach((container, i) => {
    const old = was[i]!;
    const at = SPEC.child(list).index(i).child("resources");
    for (const field of ["requests", "limits"] as const) {
      const removed = Object.keys(old.resources?.[field] ?? {}).some((name) => !container.resources?.[field]?.[name]);
      if (removed) errors.push(fieldForbidden(at.child(field), `resource ${field} cannot be removed`));
    }
    if (sameJson(withoutComputing(container), withoutComputing(old))) return;
    errors.push(
      list === "containers"
        ? fieldForbidden(SPEC, "only cpu and memory resources are mutable")
        : fieldForbidden(
            SPEC.child(list).index(i),
            "only cpu and memory resources for init or sidecar containers are mutable",
          ),
    );
  });
}

/** A container without what a resize may change. */
function withoutComputing({ resources, resizePolicy: _, ...rest }: Container): unknown {
  const others = (amounts: Record<string, unknown> | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"));
  return {
    ...rest,
    limits: others(resources?.limits),
    requests: others(resources?.requests),
    claims: resources?.claims,
  };
}
