import { fieldInvalid } from "../../api/field-error.ts";
import type { JsonObject } from "../../api/json-value.ts";
import type { KindRules } from "../../api/kind.ts";
import { applyConfiguration } from "../../api/managed-fields/apply.ts";
import type { KubeObject } from "../../api/object.ts";
import { applyPatch } from "../../api/patch/apply-patch.ts";
import { decodeText, decodeValue } from "../../api/schema/decode.ts";
import { labelMapMatcher, labelSelectorMatcher } from "../../api/selector.ts";
import { ApiError, invalid, notFound } from "../../api/status.ts";
import type { Guise } from "../admission/plugin.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { checkPatchOptions, decodeApplied, readConfiguration } from "./apply.ts";
import { fieldWriterOf } from "./managed-fields.ts";
import { objectText } from "./object-text.ts";
import {
  fieldsAfterScale,
  SCALE_GVK,
  SCALE_KIND,
  SCALE_SUBRESOURCE,
  scaleFieldsOfUpdate,
  withScaleFields,
} from "./scale-fields.ts";
import { type Call, copyOf, type Writing } from "./scope.ts";
import { pathNotFound, type Served, subresourceOf } from "./served.ts";
import { checkUid, MAIN, matchName, type UpdateStrategy, updateObject } from "./update.ts";
import { commit } from "./write.ts";

/** Whoever makes the change sees to the managed fields: they are those of the Scale. */
const SCALE: UpdateStrategy = { ...MAIN, subresource: SCALE_SUBRESOURCE, fieldsAreManaged: true };

/** Webhooks and policies see the Scale, and may change how many replicas it wants. */
const guiseOf = (rule: ScaleRule): Guise => ({
  kind: SCALE_GVK,
  show: (object) => scaleOf(object, rule),
  take(object, shown) {
    const next = copyOf(object);
    write(next, rule.specReplicas, decodeValue(SCALE_GVK, shown).object["spec"]?.replicas ?? 0);
    return next;
  },
});

type ScaleRule = NonNullable<KindRules["scale"]>;

/** `scale`: any kind with replicas, seen as an autoscaling/v1 Scale. */
export function getScale({ scope, served, request: { target } }: Call): HomeAnswer {
  const stored = scope.store.read((tx) => tx.get(served.resource, target.name));
  if (!stored) throw notFound(served.groupResource, target.name);
  return textAnswer(200, scaleText(stored.object, ruleOf(served)));
}

export async function updateScale(call: Call): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { object, warnings } = decodeText(
    subresourceOf(served, request.target),
    request.body ?? "",
    options.fieldValidation,
  );
  matchName(object, request.target.name);
  return await writeScale(
    call,
    managed(() => object),
    warnings,
  );
}

export async function patchScale(call: Call): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { body = "", patchType, target } = request;
  if (!patchType) throw new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
  checkPatchOptions(options, patchType);
  const info = subresourceOf(served, target);
  const warnings: string[] = [];
  if (patchType === "apply") {
    const config = readConfiguration(body, options, warnings);
    return await writeScale(call, applied(config, target.name, options.force ?? false), warnings);
  }
  return await writeScale(
    call,
    managed((live) => {
      const patched = applyPatch(patchType, info, live, body, options.fieldValidation);
      warnings.push(...patched.warnings);
      matchName(patched.object, target.name);
      return patched.object;
    }),
    warnings,
  );
}

/** What a write makes of a Scale, managed fields and all. */
type ScaleChange = (writing: Writing, live: KubeObject) => KubeObject;

/** A change that is noted in the managed fields. */
const managed =
  (change: (live: KubeObject) => KubeObject): ScaleChange =>
  (writing, live) => {
    const next = change(live);
    const managedFields = scaleFieldsOfUpdate(writing, live, next);
    return { ...next, metadata: { ...next.metadata, managedFields: managedFields ?? [] } };
  };

const applied =
  (config: JsonObject, name: string, force: boolean): ScaleChange =>
  (writing, live) => {
    const object = applyConfiguration(SCALE_KIND, live, config, fieldWriterOf(writing, SCALE_SUBRESOURCE), force);
    const scale = decodeApplied(SCALE_GVK, (value) => decodeValue(SCALE_GVK, value).object, object, config);
    scale.metadata.name ||= name;
    matchName(scale, name);
    return scale;
  };

async function writeScale(call: Call, change: ScaleChange, warnings: string[]): Promise<HomeAnswer> {
  const { served, request } = call;
  const rule = ruleOf(served);
  const json = await commit(call, (writing) =>
    updateObject(
      writing,
      served,
      request.target.name,
      (current) => {
        const scale = change(writing, withScaleFields(writing, served, scaleOf(current, rule), current));
        const replicas = scale["spec"]?.replicas ?? 0;
        if (replicas < 0) {
          const error = fieldInvalid("spec.replicas", replicas, "must be greater than or equal to 0");
          throw invalid({ group: "autoscaling", kind: "Scale" }, request.target.name, [error]);
        }
        const next = copyOf(current);
        const { uid, resourceVersion } = scale.metadata;
        checkUid(served, request.target.name, uid, current.metadata.uid ?? "");
        next.metadata.resourceVersion = resourceVersion ?? "";
        write(next, rule.specReplicas, replicas);
        const managedFields = fieldsAfterScale(writing, served, current, scale.metadata.managedFields);
        if (managedFields) next.metadata.managedFields = managedFields;
        else delete next.metadata.managedFields;
        return next;
      },
      { ...SCALE, guise: guiseOf(rule) },
    ),
  );
  return textAnswer(200, scaleText(JSON.parse(json) as KubeObject, rule), warnings);
}

function ruleOf({ rules }: Served): ScaleRule {
  if (!rules.scale) throw pathNotFound();
  return rules.scale;
}

function scaleOf(object: Readonly<KubeObject>, { specReplicas, statusReplicas, selector }: ScaleRule): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = read(object, specReplicas);
  const selected = selectorText(read(object, selector));
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(creationTimestamp && { creationTimestamp }),
    },
    spec: { ...(replicas ? { replicas } : {}) },
    status: { replicas: read(object, statusReplicas) ?? 0, ...(selected && { selector: selected }) },
  };
}

const scaleText = (object: Readonly<KubeObject>, rule: ScaleRule): string => {
  const scale = scaleOf(object, rule);
  return objectText(scale, Number(scale.metadata.resourceVersion));
};

/** A LabelSelector, the plain map that ReplicationControllers have, or the text that custom resources have. */
function selectorText(selector: any): string {
  if (!selector) return "";
  if (typeof selector === "string") return selector;
  const isSelector = selector.matchLabels !== undefined || selector.matchExpressions !== undefined;
  return (isSelector ? labelSelectorMatcher(selector) : labelMapMatcher(selector)).toString();
}

const read = (object: Readonly<KubeObject>, path: string): any =>
  path === "" ? undefined : path.split(".").reduce<any>((value, field) => value?.[field], object);

function write(object: KubeObject, path: string, value: unknown): void {
  const fields = path.split(".");
  const last = fields.pop() as string;
  let parent: any = object;
  for (const field of fields) parent = parent[field] ??= {};
  parent[last] = value;
}
