/** What the conditions of all kinds have in common. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
}

type Conditions = readonly Readonly<Condition>[] | undefined;

export const findCondition = (conditions: Conditions, type: string): Readonly<Condition> | undefined =>
  conditions?.find((condition) => condition.type === type);

export const withoutCondition = (conditions: Conditions, type: string): Condition[] =>
  (conditions ?? []).filter((condition) => condition.type !== type);

/**
 * With this condition in the place of the one of its type. One of the same status and reason stays as it was; one of
 * the same status keeps its lastTransitionTime (as the deployment and replica set controllers upstream do it).
 */
export function withCondition(conditions: Conditions, condition: Condition): Condition[] {
  const known = findCondition(conditions, condition.type);
  if (known && known.status === condition.status && known.reason === condition.reason) return [...conditions!];
  const lastTransitionTime =
    known?.status === condition.status ? known.lastTransitionTime : condition.lastTransitionTime;
  return [
    ...withoutCondition(conditions, condition.type),
    { ...condition, ...(lastTransitionTime && { lastTransitionTime }) },
  ];
}
