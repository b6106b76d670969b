/** core/v1 Taint. */
export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

/** core/v1 Toleration. */
export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

/** Does one toleration cover this taint? An empty key (with Exists) covers all keys, an empty effect all effects. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  if (toleration.operator && toleration.operator !== "Equal") return false;
  return Boolean(toleration.key) && (toleration.value ?? "") === (taint.value ?? "");
}

export const isTolerated = (taint: Taint, tolerations: Toleration[]): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));
