import type { KubeObject } from "../object.ts";
import { AGE } from "../table.ts";
import { defineKind } from "./define-kind.ts";
import { keepStatus, startStatus } from "./status.ts";

export interface StorageVersionObject extends KubeObject {
  status?: {
    commonEncodingVersion?: string;
    storageVersions?: { apiServerID?: string; encodingVersion?: string }[];
  };
}

const SHOWN_MAX = 3;

/** In which version each API server stores a resource. */
export const StorageVersion = defineKind<StorageVersionObject>("internal.apiserver.k8s.io/v1alpha1", "StorageVersion", {
  resource: "storageversions",
  namespaced: false,
  columns: [
    {
      name: "CommonEncodingVersion",
      description: "The version, where all store the same.",
      value: ({ status }) => status?.commonEncodingVersion ?? "<unset>",
    },
    { name: "StorageVersions", description: "The version of each.", value: describe },
    AGE,
  ],
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
});

function describe({ status }: StorageVersionObject): string {
  const all = (status?.storageVersions ?? []).map((each) => `${each.apiServerID}=${each.encodingVersion}`);
  if (all.length === 0) return "<unset>";
  const shown = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}
