import type { KindRef } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { resourceName } from "../../api/status.ts";
import type {
  AnyController,
  Context,
  Controller,
  HomeController,
  HomeView,
  Plan,
  Refusal,
  UniversalController,
} from "../controllers/controller.ts";
import { controllerOf } from "../controllers/controller.ts";
import type { Change as StoreChange } from "../store/stored.ts";

/** A change as controllers are told of it. */
export interface Change {
  kind: KindRef;
  /** The new state or, where `deleted`, the last. */
  object: Readonly<KubeObject>;
  previous: Readonly<KubeObject> | undefined;
  deleted: boolean;
}

/** A controller of any shape as the loop runs it: changes become keys, and each key is looked at. */
export interface Worker {
  name: string;
  /** Whether a change may matter, told without parsing it. */
  heeds(change: StoreChange): boolean;
  keysOf(change: Change, view: HomeView): string[];
  /** Every key there is: for a home that has lost track. */
  allKeys(view: HomeView): string[];
  work(key: string, view: HomeView, context: Context): Plan;
  refused?(refusal: Refusal, key: string, view: HomeView, context: Context): Plan | undefined;
}

const NOTHING: Plan = { writes: [] };

/** `kindOf`: the kind of a resource's name. */
export function workerOf(controller: AnyController, kindOf: (resource: string) => KindRef | undefined): Worker {
  if ("reconcileHome" in controller) return homeWorker(controller);
  if ("reconcileAny" in controller) return universalWorker(controller, kindOf);
  return objectWorker(controller);
}

function objectWorker(controller: Controller): Worker {
  const own = resourceName(controller.for);
  const owned = new Set(controller.owns?.map(resourceName));
  const watches = (controller.watches ?? []).map((watch) => ({ resource: resourceName(watch.kind), watch }));
  const resources = new Set([own, ...owned, ...watches.map(({ resource }) => resource)]);
  const worker: Worker = {
    name: controller.name,
    heeds: ({ stored }) => resources.has(stored.resource),
    keysOf({ kind, object, previous }, view) {
      const resource = resourceName(kind);
      const keys: string[] = resource === own ? [object.metadata.name] : [];
      if (owned.has(resource))
        for (const state of [object, previous]) {
          const owner = state && controllerOf(state);
          if (owner?.kind === controller.for.kind && groupOf(owner.apiVersion) === controller.for.group)
            keys.push(owner.name);
        }
      for (const { resource: watched, watch } of watches)
        if (watched === resource) keys.push(...watch.concerns(object, previous, view));
      return keys;
    },
    allKeys: (view) => view.list(controller.for).map(({ metadata }) => metadata.name),
    work(name, view, context) {
      const object = view.get(controller.for, name);
      if (object) return controller.reconcile(object, view, context);
      return controller.forget?.(name, view, context) ?? NOTHING;
    },
  };
  if (controller.refused)
    worker.refused = (refusal, name, view, context) => {
      const object = view.get(controller.for, name);
      return object && controller.refused!(refusal, object, view, context);
    };
  return worker;
}

function homeWorker(controller: HomeController): Worker {
  const watches = new Map(controller.watches.map((watch) => [resourceName(watch.kind), watch]));
  return {
    name: controller.name,
    heeds({ stored }) {
      const watch = watches.get(stored.resource);
      return watch !== undefined && (watch.name ?? stored.name) === stored.name;
    },
    keysOf({ kind, object, previous }) {
      return (watches.get(resourceName(kind))?.matters?.(object, previous) ?? true) ? [""] : [];
    },
    allKeys: () => [""],
    work: (_, view, context) => controller.reconcileHome(view, context),
  };
}

function universalWorker(controller: UniversalController, kindOf: (resource: string) => KindRef | undefined): Worker {
  const mentions = controller.mentions.map((field) => JSON.stringify(field));
  return {
    name: controller.name,
    heeds: ({ type, stored, previous }) =>
      type === "DELETED" ||
      mentions.some((field) => stored.json.includes(field) || (previous?.json.includes(field) ?? false)),
    keysOf: (change, view) =>
      controller.concerns(change, view).map(({ kind, name }) => `${resourceName(kind)}/${name}`),
    allKeys: (view) => view.kinds().flatMap((kind) => view.names(kind).map((name) => `${resourceName(kind)}/${name}`)),
    work(key, view, context) {
      const slash = key.indexOf("/");
      const kind = kindOf(key.slice(0, slash));
      const object = kind && view.get(kind, key.slice(slash + 1));
      return object ? controller.reconcileAny({ kind, object }, view, context) : NOTHING;
    },
  };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
