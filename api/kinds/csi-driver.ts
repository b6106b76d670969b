import { sameJson } from "../equality.ts";
import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldDuplicate, fieldInvalid, fieldTooLong } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateImmutable } from "../object-meta.ts";
import { defineKind } from "./define-kind.ts";

const TOKENS_IN_SECRETS =
  "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";
const NAME_LENGTH_MAX = 63;
const UPDATE_SECONDS_MIN = 10;
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

export interface CSIDriverObject extends KubeObject {
  spec: {
    attachRequired?: boolean;
    podInfoOnMount?: boolean;
    storageCapacity?: boolean;
    fsGroupPolicy?: string;
    volumeLifecycleModes?: string[];
    tokenRequests?: { audience: string; expirationSeconds?: number }[];
    nodeAllocatableUpdatePeriodSeconds?: number;
    requiresRepublish?: boolean;
    seLinuxMount?: boolean;
    serviceAccountTokenInSecrets?: boolean;
  };
}

const flag = (
  name: string,
  field: "podInfoOnMount" | "storageCapacity" | "requiresRepublish",
  description: string,
) => ({
  name,
  type: "boolean" as const,
  description,
  value: ({ spec }: CSIDriverObject) => spec?.[field] ?? false,
});

/** A storage driver, and what it can do. */
export const CSIDriver = defineKind<CSIDriverObject>("storage.k8s.io/v1", "CSIDriver", {
  resource: "csidrivers",
  namespaced: false,
  columns: [
    {
      name: "AttachRequired",
      type: "boolean",
      description: "Whether volumes are attached first.",
      value: ({ spec }) => spec?.attachRequired ?? true,
    },
    flag("PodInfoOnMount", "podInfoOnMount", "Whether it is told of the pod."),
    flag("StorageCapacity", "storageCapacity", "Whether its capacity is asked."),
    {
      name: "TokenRequests",
      description: "Audiences of the tokens that it gets.",
      value: ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>",
    },
    flag("RequiresRepublish", "requiresRepublish", "Whether volumes are published again and again."),
    {
      name: "Modes",
      description: "Kinds of volume.",
      value: ({ spec }) => spec?.volumeLifecycleModes?.join(",") || "<none>",
    },
  ],
  setDefaults(driver) {
    driver.spec ??= {};
    driver.spec.attachRequired ??= true;
    driver.spec.podInfoOnMount ??= false;
    driver.spec.storageCapacity ??= false;
    driver.spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    driver.spec.requiresRepublish ??= false;
    driver.spec.seLinuxMount ??= false;
    if (!driver.spec.volumeLifecycleModes?.length) driver.spec.volumeLifecycleModes = ["Persistent"];
  },
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    if ((metadata.name ?? "").length > NAME_LENGTH_MAX) {
      errors.push(fieldTooLong(METADATA.child("name"), NAME_LENGTH_MAX));
    }
    for (const mode of spec.volumeLifecycleModes ?? []) {
      checkSupported(mode, ["Persistent", "Ephemeral"], SPEC.child("volumeLifecycleModes"), errors);
    }
    const policies = ["File", "None", "ReadWriteOnceWithFSType"];
    checkSupported(spec.fsGroupPolicy, policies, SPEC.child("fsGroupPolicy"), errors);
    validateTokenRequests(spec.tokenRequests ?? [], errors);
    const seconds = spec.nodeAllocatableUpdatePeriodSeconds;
    if (typeof seconds === "number" && seconds < UPDATE_SECONDS_MIN) {
      const why = `must be greater than or equal to ${UPDATE_SECONDS_MIN} seconds`;
      errors.push(fieldInvalid(SPEC.child("nodeAllocatableUpdatePeriodSeconds"), seconds, why));
    }
    return errors;
  },
  prepareForUpdate(next, previous) {
    // Upstream counts changes alone: a driver that has not been changed has no generation.
    const { generation } = previous.metadata;
    if (!sameJson(next.spec, previous.spec)) next.metadata.generation = (generation ?? 0) + 1;
    else if (generation !== undefined) next.metadata.generation = generation;
  },
  warnings({ spec }, previous) {
    if (!spec.tokenRequests?.length || typeof spec.serviceAccountTokenInSecrets === "boolean") return [];
    return sameJson(spec.tokenRequests, previous?.spec.tokenRequests) ? [] : [TOKENS_IN_SECRETS];
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    // The path is upstream's.
    validateImmutable(next.attachRequired, previous.attachRequired, SPEC.child("attachedRequired"), errors);
    const at = SPEC.child("volumeLifecycleModes");
    validateImmutable(next.volumeLifecycleModes, previous.volumeLifecycleModes, at, errors);
    return errors;
  },
});

function validateTokenRequests(
  requests: NonNullable<CSIDriverObject["spec"]["tokenRequests"]>,
  errors: FieldError[],
): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const at = SPEC.child("tokenRequests").index(i);
    if (audiences.has(audience)) errors.push(fieldDuplicate(at.child("audience"), audience));
    audiences.add(audience);
    if (typeof seconds !== "number") return;
    const secondsAt = at.child("expirationSeconds");
    if (seconds < TOKEN_SECONDS_MIN) {
      errors.push(fieldInvalid(secondsAt, seconds, "may not specify a duration less than 10 minutes"));
    }
    if (seconds > TOKEN_SECONDS_MAX) {
      errors.push(fieldInvalid(secondsAt, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
  });
}
