import type { PodObject } from "../api/kinds/pod.ts";

/** What is known of one pod at one moment: all that `podActions` and `podStatus` decide from. */
export interface PodView {
  readonly pod: PodObject;
  /** The control plane knows it no more: end it, there is nobody to report to. */
  readonly gone: boolean;
  /** Newest first. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** Newest first, dead ones included. */
  readonly containers: readonly ObservedContainer[];
  /** By container id; containers without probes have no entry. */
  readonly probes: ReadonlyMap<string, ProbeVerdict>;
  /** By container name: the image that the next start is to use. */
  readonly images: ReadonlyMap<string, PreparedImage>;
  readonly volumesReady: boolean;
  /** By container name. */
  readonly backOffs: ReadonlyMap<string, BackOff>;
  /** By container name, or `SANDBOX` or `VOLUMES`: something failed and is to be tried again. */
  readonly holds: ReadonlyMap<string, Hold>;
  /** Keys of the actions that are under way. */
  readonly inFlight: ReadonlyMap<string, Action>;
  /** Milliseconds since 1970, as all times here. */
  readonly now: number;
}

/** Keys of `PodView.holds` that no container can have. */
export const SANDBOX = "/sandbox";
export const VOLUMES = "/volumes";

export interface ObservedSandbox {
  id: string;
  attempt: number;
  ready: boolean;
  createdAt: number;
  ips: readonly string[];
}

export interface ObservedContainer {
  id: string;
  /** Empty for one that vanished from the runtime (`lost`). */
  sandboxId: string;
  name: string;
  state: "created" | "running" | "exited" | "unknown";
  createdAt: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
  /** Of the spec it was made from; see `containerHash`. */
  hash: string;
  restartCount: number;
  image: string;
  imageRef: string;
  /** Known from an earlier look or status only: somebody removed it. */
  lost: boolean;
}

export interface ProbeVerdict {
  started: boolean;
  ready: boolean;
  /** The probe whose failures ask for a restart. */
  failed?: "liveness" | "startup";
}

export interface PreparedImage {
  /** The runtime's handle for creating a container. */
  id: string;
}

/** How long the next restart of a container has to wait after its end. */
export interface BackOff {
  seconds: number;
  since: number;
}

/** A failure, its wording, and when to try again. */
export interface Hold {
  /** `ErrImagePull`, `CreateContainerConfigError`, … */
  reason: string;
  message: string;
  at: number;
  until: number;
  /** Doubles while it keeps failing. */
  seconds: number;
}

export type Action = { readonly key: string } & (
  | { readonly do: "prepare-volumes" }
  | { readonly do: "create-sandbox"; readonly attempt: number }
  | { readonly do: "stop-sandbox"; readonly id: string }
  | { readonly do: "remove-sandbox"; readonly id: string }
  | { readonly do: "pull"; readonly container: string }
  | {
      readonly do: "start";
      readonly container: string;
      readonly sandboxId: string;
      readonly restartCount: number;
      /** What the next restart has to wait. */
      readonly backOff?: BackOff;
    }
  | {
      readonly do: "kill";
      readonly id: string;
      readonly container: string;
      readonly graceSeconds: number;
      /** For the Killing event. */
      readonly message: string;
    }
  | { readonly do: "remove-container"; readonly id: string }
  /** Nothing of it runs: forget volumes, folders, cgroups and the pod itself. */
  | { readonly do: "finish" }
);

/** An event that belongs to a state rather than to an action; emitted once per `key`. */
export interface Notice {
  key: string;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  container?: string;
}

export interface PodPlan {
  actions: Action[];
  notices: Notice[];
  /** Look again at this time, even if nothing happens before. */
  wakeAt?: number;
}
