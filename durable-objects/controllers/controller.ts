import type { KindRef } from "../../api/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";

/** What a controller sees of its home: a consistent, read-only cut. Objects are frozen: copy before changing. */
export interface View {
  get<T extends KubeObject>(kind: KindRef<T>, name: string): Readonly<T> | undefined;
  /** By name order. `ownedBy`: whose controlling ownerReference has this uid. `labels`: that have all of these. */
  list<T extends KubeObject>(
    kind: KindRef<T>,
    options?: { ownedBy?: { metadata: { uid?: string } }; labels?: Record<string, string> },
  ): Readonly<T>[];
}

/** An object and the kind that the home serves it as. */
export interface KindedObject {
  kind: KindRef;
  object: Readonly<KubeObject>;
}

/** What controllers of all kinds (garbage collection, deletion of a namespace's contents) see beyond a View. */
export interface HomeView extends View {
  /** Kinds of which the home holds at least one object, in order of the resource's name. */
  kinds(): KindRef[];
  /** Names of all objects of a kind, in order: costs less than `list`, which reads them. */
  names(kind: KindRef): string[];
  /** Objects of any kind with an ownerReference (controlling or not) to this uid, by resource and name. */
  dependents(uid: string): KindedObject[];
  /**
   * What an ownerReference points at: the object of that name if it has that uid; `absent` if not; `unknown` where
   * this home cannot tell (another home's kind, a kind that is not served).
   */
  owner(reference: OwnerReference): KindedObject | "absent" | "unknown";
}

/** A wish. All wishes of a pass are carried out in the transaction it was read in, through admission and validation. */
export type Write =
  | { op: "create"; kind: KindRef; object: KubeObject }
  /** Replaces everything but status. The object carries the resourceVersion it was read at. */
  | { op: "update"; kind: KindRef; object: KubeObject }
  /** Replaces status (and, as upstream's status strategies allow, metadata that the kind's status may carry). */
  | { op: "updateStatus"; kind: KindRef; object: KubeObject }
  | {
      op: "delete";
      kind: KindRef;
      name: string;
      uid?: string;
      graceSeconds?: number;
      propagation?: "Background" | "Foreground" | "Orphan";
    }
  | {
      op: "event";
      about: KubeObject;
      type: "Normal" | "Warning";
      reason: string;
      message: string;
      /** The part of the object it is about, as in `spec.containers{web}`. */
      fieldPath?: string;
    };

/** A write that was refused (by admission, quota, validation), as the API would have answered. */
export interface Refusal {
  write: Write;
  reason: string;
  message: string;
}

/** What a decision may not take for itself. */
export interface Context {
  /** Milliseconds since 1970, of this pass. */
  readonly now: number;
  /** RFC 3339 with seconds, of `now`. */
  readonly timestamp: string;
  /** Of the home: empty in the ClusterHome. */
  readonly namespace: string;
  /** The namespace is being deleted: creating anything would be refused. */
  readonly terminating: boolean;
  /** A fresh name suffix of five letters and digits, as upstream's names.SimpleNameGenerator makes. */
  suffix(): string;
}

export interface Plan {
  writes: Write[];
  /** Look again at this object after so long, whatever happens to it (0: in the next pass). */
  again?: { inSeconds: number };
  /** Said to the log; the pass is retried with back-off. */
  failure?: string;
}

/** Which objects of the controller's kind a change to another object concerns. */
export interface Watch<T extends KubeObject = KubeObject> {
  kind: KindRef<T>;
  /** Names of objects of the controller's kind. `object` is the new state (or the last, of a deletion), `previous` the one before. */
  concerns(object: Readonly<T>, previous: Readonly<T> | undefined, view: View): string[];
}

/**
 * One controller: pure, synchronous, level-triggered. `reconcile` is told which object, never what happened to it; it may
 * run twice, late, or after missing every event, and must still converge.
 */
export interface Controller<T extends KubeObject = KubeObject> {
  /** As upstream names it: events' `source.component` and the user that writes (`deployment-controller`). */
  name: string;
  for: KindRef<T>;
  /** Kinds whose controlling owner is looked at when they change. */
  owns?: KindRef[];
  watches?: Watch<any>[];
  reconcile(object: Readonly<T>, view: View, context: Context): Plan;
  /** The object is gone. Rarely needed: what it owned is the garbage collector's. */
  forget?(name: string, view: View, context: Context): Plan;
  /**
   * One write of the plan was refused. The writes before it stay, it and those after it are replaced by this plan's.
   * Without this, a refusal undoes the whole plan. Either way the object is looked at again with back-off.
   */
  refused?(refusal: Refusal, object: Readonly<T>, view: View, context: Context): Plan;
}

/** Looks after the home as a whole (what every namespace must have, what must not pile up); as pure as a Controller. */
export interface HomeController {
  name: string;
  /** Changes after which it looks; it also looks when the home first wakes. `name`: of this object alone, the others are not parsed for it. */
  watches: {
    kind: KindRef<any>;
    name?: string;
    matters?(object: Readonly<any>, previous: Readonly<any> | undefined): boolean;
  }[];
  reconcileHome(view: View, context: Context): Plan;
}

/** A controller of the objects of every kind; as pure as a Controller. */
export interface UniversalController {
  name: string;
  /**
   * Field names of metadata that it goes by: a change in whose texts (old and new) none occurs is not shown to it, unless it
   * is a deletion. Spares parsing most of what is written.
   */
  mentions: readonly string[];
  /** Objects to look at because of this change. `object` is the last state where `deleted`. */
  concerns(
    change: {
      kind: KindRef;
      object: Readonly<KubeObject>;
      previous: Readonly<KubeObject> | undefined;
      deleted: boolean;
    },
    view: HomeView,
  ): { kind: KindRef; name: string }[];
  reconcileAny(subject: KindedObject, view: HomeView, context: Context): Plan;
}

/** Whatever the loop can run. */
export type AnyController = Controller<any> | HomeController | UniversalController;

/** Names the type parameters; returns its argument. */
export const defineController = <T extends KubeObject>(controller: Controller<T>): Controller<T> => controller;

/** An object of a certain kind and the reference that says who controls it. */
export const controllerOf = (object: Readonly<KubeObject>): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((owner) => owner.controller);
