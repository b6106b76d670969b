import { Namespace, type NamespaceObject } from "../../api/kinds/namespace.ts";
import type { KubeObject, User } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import { namespaceConditions } from "../controllers/namespace-deletion.ts";
import type { Home } from "../home.ts";
import type { NamespaceHomeInternalRpc } from "../protocol.ts";
import { FINALIZE } from "../verbs/finalize.ts";
import { copyOf, timestampOf } from "../verbs/scope.ts";
import { servedOf } from "../verbs/served.ts";
import { STATUS, type UpdateStrategy, updateObject } from "../verbs/update.ts";

const RESOURCE = "namespaces";
const FINALIZER = "kubernetes";
const USER: User = { name: "system:serviceaccount:kube-system:namespace-controller", groups: ["system:masters"] };
/** Looks at a namespace's contents lie so far apart at least: what its home tells meanwhile is seen together. */
const LOOK_MILLISECONDS = 50;
/** A home that could not be reached is asked again: the delay doubles from the first to the last. */
const RETRY_FIRST_MILLISECONDS = 100;
const RETRY_LAST_MILLISECONDS = 5_000;
const NAMES_MAX = 1_000_000;

export interface NamespaceKeeperOptions {
  home: Home;
  homeOf(namespace: string): Pick<NamespaceHomeInternalRpc, "activate" | "terminate">;
  later(milliseconds: number, work: () => void): void;
  now(): number;
}

/** A namespace that is being emptied. */
interface Emptying {
  /** Its home is being asked, or will be after a back-off. */
  isUnderWay: boolean;
  /** Its home has told of a change since it was asked. */
  again: boolean;
  failures: number;
}

/**
 * The life cycle of namespaces across their homes: tells a home that it has begun, and empties it when it is to end. A home is asked again
 * only when it has told that it holds less (`contentsChanged`).
 */
export class NamespaceKeeper {
  readonly #options: NamespaceKeeperOptions;
  readonly #home: Home;
  /** Being told that they have begun. */
  readonly #activating = new Map<string, Promise<void>>();
  /** Being emptied. */
  readonly #emptying = new Map<string, Emptying>();
  #isAwake = false;

  constructor(options: NamespaceKeeperOptions) {
    this.#options = options;
    this.#home = options.home;
    this.#home.store.onCommit((changes) => {
      for (const { type, stored } of changes) {
        if (stored.resource !== RESOURCE || type === "DELETED") continue;
        const { object } = stored;
        if (type === "ADDED") this.#activate(object);
        if (isTerminating(object)) this.#empty(stored.name);
      }
    });
  }

  /** Something is under way that this instance must not take with it. */
  get isBusy(): boolean {
    if (this.#activating.size > 0) return true;
    for (const { isUnderWay } of this.#emptying.values()) if (isUnderWay) return true;
    return false;
  }

  /** Names of namespaces: all, those of a revision, or with those that were there at any time after one. Sorted. */
  names(at?: number, since?: number): { names: string[]; expired: boolean } {
    const { store } = this.#home;
    if (at !== undefined) this.#home.lease.raiseFloor(at);
    if (at !== undefined && at < store.revision) {
      if (!store.reaches(at)) return { names: [], expired: true };
      return {
        names: store
          .view(RESOURCE, at)
          .texts({ limit: NAMES_MAX })
          .map(({ name }) => name),
        expired: false,
      };
    }
    const names = new Set(store.read((tx) => tx.texts(RESOURCE)).map(({ name }) => name));
    for (let after = since; after !== undefined; ) {
      const changes = store.changes(after, { resources: [RESOURCE] });
      if (!changes) return { names: [], expired: true };
      for (const { stored } of changes) names.add(stored.name);
      after = changes.at(-1)?.revision;
    }
    return { names: [...names].sort(), expired: false };
  }

  /** Takes up, once, the endings that an earlier instance had begun. (A home that was not told of its beginning asks.) */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    for (const { name, object } of this.#home.store.read((tx) => tx.list(RESOURCE))) {
      if (isTerminating(object)) this.#empty(name);
    }
  }

  /** Resolves when the namespace's home has been told of it, or could not be reached. */
  async activated(name: string): Promise<void> {
    await this.#activating.get(name);
  }

  #activate({ metadata }: Readonly<KubeObject>): void {
    const { name, uid = "" } = metadata;
    const told = Promise.resolve()
      .then(() => this.#options.homeOf(name).activate(uid, this.#home.store.revision))
      .catch((error: unknown) => console.warn(`namespace ${name}: its home could not be told: ${String(error)}`))
      .finally(() => this.#activating.delete(name));
    this.#activating.set(name, told);
  }

  /** A namespace's home holds less than before. */
  look(name: string): void {
    const object = this.#home.store.read((tx) => tx.get(RESOURCE, name))?.object;
    if (object && isTerminating(object)) this.#empty(name);
  }

  #empty(name: string): void {
    const emptying = this.#emptying.get(name) ?? { isUnderWay: false, again: false, failures: 0 };
    this.#emptying.set(name, emptying);
    emptying.again = true;
    if (!emptying.isUnderWay) void this.#emptyWhileChanging(name, emptying);
  }

  async #emptyWhileChanging(name: string, emptying: Emptying): Promise<void> {
    emptying.isUnderWay = true;
    while (emptying.again) {
      emptying.again = false;
      let delay = LOOK_MILLISECONDS;
      try {
        if (await this.#emptyOnce(name)) {
          this.#emptying.delete(name);
          return;
        }
        emptying.failures = 0;
      } catch (error) {
        if (error instanceof ApiError && error.reason === "NotFound") {
          this.#emptying.delete(name);
          return;
        }
        console.warn(`namespace ${name}: its contents could not be deleted: ${String(error)}`);
        emptying.again = true;
        delay = Math.min(RETRY_FIRST_MILLISECONDS * 2 ** Math.min(emptying.failures++, 30), RETRY_LAST_MILLISECONDS);
      }
      await new Promise<void>((resolve) => this.#options.later(delay, resolve));
    }
    emptying.isUnderWay = false;
  }

  /** Answers whether the namespace needs no more of us. */
  async #emptyOnce(name: string): Promise<boolean> {
    const { revision, remaining, finalizers, failures } = await this.#options.homeOf(name).terminate();
    // Whoever sees that the namespace is gone sees that what it held is.
    this.#home.lease.raiseFloor(revision);
    await this.#update(name, STATUS, (namespace) => {
      const { status } = namespace;
      const conditions = namespaceConditions(
        status?.conditions as Parameters<typeof namespaceConditions>[0],
        { resources: remaining, finalizers },
        timestampOf(this.#options.now()),
        failures,
      );
      namespace.status = { ...status, phase: "Terminating", conditions } as NonNullable<NamespaceObject["status"]>;
    });
    if (Object.keys(remaining).length > 0) return false;
    await this.#update(name, FINALIZE, (namespace) => {
      namespace.spec = {
        ...namespace.spec,
        finalizers: (namespace.spec?.finalizers ?? []).filter((f) => f !== FINALIZER),
      };
    });
    return true;
  }

  async #update(name: string, strategy: UpdateStrategy, change: (namespace: NamespaceObject) => void): Promise<void> {
    await this.#home.write(USER, (writing) => {
      updateObject(
        writing,
        servedOf(Namespace),
        name,
        (current) => {
          const next = copyOf(current as NamespaceObject);
          change(next);
          return next;
        },
        strategy,
      );
    });
  }
}

const isTerminating = ({ metadata, spec }: Readonly<KubeObject>): boolean =>
  Boolean(metadata.deletionTimestamp) && spec?.finalizers?.includes(FINALIZER) === true;
