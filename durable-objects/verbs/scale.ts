import { fieldInvalid } from "../../api/field-error.ts";
import type { KindRules } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { applyPatch } from "../../api/patch/apply-patch.ts";
import { decodeText } from "../../api/schema/decode.ts";
import { labelMapMatcher, labelSelectorMatcher } from "../../api/selector.ts";
import { ApiError, invalid, notFound } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { objectText } from "./object-text.ts";
import { copyOf } from "./scope.ts";
import { pathNotFound, type Served, subresourceOf } from "./served.ts";
import { MAIN, matchName, updateObject } from "./update.ts";
import { commit, type WriteCall } from "./write.ts";

type ScaleRule = NonNullable<KindRules["scale"]>;

/** `scale`: any kind with replicas, seen as an autoscaling/v1 Scale. */
export function getScale({ scope, served, request: { target } }: WriteCall): HomeAnswer {
  const stored = scope.store.read((tx) => tx.get(served.resource, target.name));
  if (!stored) throw notFound(served.groupResource, target.name);
  return textAnswer(200, scaleText(stored.object, ruleOf(served)));
}

export async function updateScale(call: WriteCall): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { object, warnings } = decodeText(
    subresourceOf(served, request.target),
    request.body ?? "",
    options.fieldValidation,
  );
  matchName(object, request.target.name);
  return await writeScale(call, () => object, warnings);
}

export async function patchScale(call: WriteCall): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { body = "", patchType, target } = request;
  if (!patchType) throw new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
  const info = subresourceOf(served, target);
  const warnings: string[] = [];
  return await writeScale(
    call,
    (current) => {
      const patched = applyPatch(patchType, info, scaleOf(current, ruleOf(served)), body, options.fieldValidation);
      warnings.push(...patched.warnings);
      matchName(patched.object, target.name);
      return patched.object;
    },
    warnings,
  );
}

async function writeScale(
  call: WriteCall,
  change: (current: Readonly<KubeObject>) => KubeObject,
  warnings: string[],
): Promise<HomeAnswer> {
  const { served, request } = call;
  const rule = ruleOf(served);
  const json = await commit(call, (writing) =>
    updateObject(
      writing,
      served,
      request.target.name,
      (current) => {
        const scale = change(current.object);
        const replicas = scale["spec"]?.replicas ?? 0;
        if (replicas < 0) {
          const error = fieldInvalid("spec.replicas", replicas, "must be greater than or equal to 0");
          throw invalid({ group: "autoscaling", kind: "Scale" }, request.target.name, [error]);
        }
        const next = copyOf(current.object);
        const { uid, resourceVersion } = scale.metadata;
        next.metadata.resourceVersion = resourceVersion ?? "";
        if (uid) next.metadata.uid = uid;
        write(next, rule.specReplicas, replicas);
        return next;
      },
      MAIN,
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

/** A LabelSelector, or the plain map that ReplicationControllers have. */
function selectorText(selector: any): string {
  if (!selector) return "";
  const isSelector = selector.matchLabels !== undefined || selector.matchExpressions !== undefined;
  return (isSelector ? labelSelectorMatcher(selector) : labelMapMatcher(selector)).toString();
}

const read = (object: Readonly<KubeObject>, path: string): any =>
  path.split(".").reduce<any>((value, field) => value?.[field], object);

function write(object: KubeObject, path: string, value: unknown): void {
  const fields = path.split(".");
  const last = fields.pop() as string;
  let parent: any = object;
  for (const field of fields) parent = parent[field] ??= {};
  parent[last] = value;
}
