import { ApiError, type StatusCause } from "../status.ts";
import type { ManagedEntry } from "./entries.ts";
import { printPaths } from "./field-set.ts";
import type { Taken } from "./ownership.ts";

/** 409 for an apply that would take fields from others, in upstream's words (managedfields/internal/conflict.go). */
export function applyConflict(taken: ReadonlyMap<string, Taken>): ApiError {
  const conflicts = [...taken]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { entry, fields }]) => ({ manager: describeManager(entry), paths: printPaths(fields) }));
  const causes: StatusCause[] = conflicts.flatMap(({ manager, paths }) =>
    paths.map((path) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${manager}`,
      field: path,
    })),
  );
  return new ApiError("Conflict", messageOf(conflicts, causes.length), { causes });
}

function messageOf(conflicts: { manager: string; paths: string[] }[], count: number): string {
  const [first] = conflicts;
  if (count === 1 && first) {
    return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.paths[0]}`;
  }
  const lines = conflicts.flatMap(({ manager, paths }) => [
    `conflicts with ${manager}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join("\n")}`;
}

/** `"kubectl-edit" with subresource "scale" using apps/v1`. */
function describeManager({ manager, subresource, operation, apiVersion }: ManagedEntry): string {
  const name = JSON.stringify(manager) + (subresource && ` with subresource ${JSON.stringify(subresource)}`);
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
