import type { KindRules } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import {
  checkFieldSelector,
  type FieldRequirement,
  fieldsOf,
  parseFieldSelector,
  parseLabelSelector,
} from "../../api/selector.ts";
import { badRequest } from "../../api/status.ts";
import type { RequestOptions } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";

/** Which objects a list or watch is about. */
export interface Selection {
  /** Where the field selector names one object. */
  readonly name: string | undefined;
  /** Undefined: all. */
  readonly matches: ((object: Readonly<KubeObject>) => boolean) | undefined;
  /** What the selectors select by, name apart; used to say whether a list can tell how many remain. */
  readonly isEverything: boolean;
}

/** @throws ApiError BadRequest for a selector that cannot be read, or a field that the kind does not offer. */
export function selectionOf(
  { labelSelector = "", fieldSelector = "" }: RequestOptions,
  rules: KindRules<any>,
  namespace: string,
): Selection {
  if (labelSelector === "" && fieldSelector === "") return { name: undefined, matches: undefined, isEverything: true };
  const labels = labelSelectorOf(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  checkFieldSelector(fields, rules);
  const byName = fields.requirements.find(({ field, equal }) => field === "metadata.name" && equal);
  const others = fields.requirements.filter((requirement) => !isImplied(requirement, namespace, byName));
  const usesLabels = labels.requirements.length > 0;
  if (!usesLabels && others.length === 0) {
    return { name: byName?.value, matches: undefined, isEverything: !byName };
  }
  return {
    name: byName?.value,
    matches: (object) =>
      (!usesLabels || labels.matches(object.metadata.labels)) &&
      (others.length === 0 || fields.matches(fieldsOf(rules, object as KubeObject))),
    isEverything: false,
  };
}

function labelSelectorOf(text: string) {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

/** Holds for whatever the home can have under that name. */
const isImplied = (
  { field, equal, value }: FieldRequirement,
  namespace: string,
  byName: FieldRequirement | undefined,
) =>
  equal &&
  ((field === "metadata.namespace" && value === namespace) || (field === "metadata.name" && value === byName?.value));

export const selects = ({ name, matches }: Selection, stored: Stored): boolean =>
  (name === undefined || stored.name === name) && (matches === undefined || matches(stored.object));
