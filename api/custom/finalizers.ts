import { qualifiedNameComplaints } from "../names.ts";
import type { KubeObject } from "../object.ts";

const STANDARD: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

/** What upstream says of finalizers whose names could be anybody's; `previous` has had its own before. */
export function finalizerWarnings({ metadata }: KubeObject, previous?: KubeObject): string[] {
  const had = new Set(previous?.metadata.finalizers);
  const added = [...new Set(metadata.finalizers)].filter((name) => !had.has(name)).sort();
  return added.flatMap((name) => {
    const shown = `metadata.finalizers: ${JSON.stringify(name)}: `;
    const warnings = qualifiedNameComplaints(name).map((complaint) => shown + complaint);
    if (!name.includes("/") && !STANDARD.has(name)) {
      const path = name.includes(".") ? " including a path (/)" : "";
      warnings.push(
        `${shown}prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`,
      );
    }
    return warnings;
  });
}
