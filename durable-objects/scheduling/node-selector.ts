/** core/v1 NodeSelectorRequirement. */
export interface NodeSelectorRequirement {
  key: string;
  operator: string;
  values?: string[];
}

/** core/v1 NodeSelectorTerm: all of its requirements have to be met. */
export interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[];
  matchFields?: NodeSelectorRequirement[];
}

/** A required term without requirements matches no node, a preferred one (`emptyMatches`) every node. */
export function matchesTerm(
  { matchExpressions, matchFields }: NodeSelectorTerm,
  node: { name: string; labels: Record<string, string> },
  emptyMatches = false,
): boolean {
  if (!matchExpressions?.length && !matchFields?.length) return emptyMatches;
  return (
    (matchExpressions ?? []).every((requirement) => meets(node.labels[requirement.key], requirement)) &&
    (matchFields ?? []).every((requirement) => requirement.key === "metadata.name" && meets(node.name, requirement))
  );
}

const INTEGER = /^[+-]?\d+$/;

function meets(value: string | undefined, { operator, values = [] }: NodeSelectorRequirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const bound = values[0];
      if (value === undefined || bound === undefined || !INTEGER.test(value) || !INTEGER.test(bound)) return false;
      return operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}
