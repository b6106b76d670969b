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
/** How soon a namespace that still holds something is looked at again: the delay doubles from the first to the last. */
const LOOK_FIRST_MILLISECONDS = 100;
const LOOK_LAST_MILLISECONDS = 5_000;

export interface NamespaceKeeperOptions {
  home: Home;
  homeOf(namespace: string): Pick<NamespaceHomeInternalRpc, "activate" | "terminate">;
  later(milliseconds: number, work: () => void): void;
  now(): number;
}

/** The life cycle of namespaces across their homes: tells a home that it has begun, and empties it when it is to end. */
export class NamespaceKeeper {
  readonly #options: NamespaceKeeperOptions;
  readonly #home: Home;
  /** Being told that they have begun. */
  readonly #activating = new Map<string, Promise<void>>();
  /** Being emptied. */
  readonly #emptying = new Set<string>();

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

  /** Some namespace is on its way out. */
  get isBusy(): boolean {
    return this.#emptying.size > 0 || this.#activating.size > 0;
  }

  /** Takes up the endings that an earlier instance had begun. (A home that was not told of its beginning asks.) */
  wake(): void {
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
      .then(() => this.#options.homeOf(name).activate(uid))
      .catch((error: unknown) => console.warn(`namespace ${name}: its home could not be told: ${String(error)}`))
      .finally(() => this.#activating.delete(name));
    this.#activating.set(name, told);
  }

  #empty(name: string): void {
    if (this.#emptying.has(name)) return;
    this.#emptying.add(name);
    void this.#emptyStep(name, LOOK_FIRST_MILLISECONDS);
  }

  async #emptyStep(name: string, delay: number): Promise<void> {
    let isOver = false;
    try {
      isOver = await this.#emptyOnce(name);
    } catch (error) {
      if (error instanceof ApiError && error.reason === "NotFound") isOver = true;
      else console.warn(`namespace ${name}: its contents could not be deleted: ${String(error)}`);
    }
    if (isOver) {
      this.#emptying.delete(name);
      return;
    }
    this.#options.later(delay, () => void this.#emptyStep(name, Math.min(delay * 2, LOOK_LAST_MILLISECONDS)));
  }

  /** Answers whether the namespace needs no more of us. */
  async #emptyOnce(name: string): Promise<boolean> {
    const { remaining, finalizers, failures } = await this.#options.homeOf(name).terminate();
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
        ({ object }) => {
          const next = copyOf(object as NamespaceObject);
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
