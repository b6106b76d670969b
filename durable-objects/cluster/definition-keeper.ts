import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import { sameJson } from "../../api/equality.ts";
import { CustomResourceDefinition } from "../../api/kinds/custom-resource-definition.ts";
import type { User } from "../../api/object.ts";
import { ApiError, resourceName } from "../../api/status.ts";
import { CLEANUP, DEFINITIONS, type DefinitionClaim, hasCondition, isEnding } from "../catalog/contents.ts";
import { withDefinitionCondition } from "../controllers/definition-status.ts";
import type { Home } from "../home.ts";
import type { NamespaceHomeInternalRpc } from "../protocol.ts";
import { forEachBounded } from "../timeline/home-source.ts";
import { copyOf, timestampOf } from "../verbs/scope.ts";
import { servedOf } from "../verbs/served.ts";
import { MAIN, STATUS, type UpdateStrategy, updateObject } from "../verbs/update.ts";

const USER: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };
/** While instances wait for their finalizers they are looked at again: the delay doubles from the first to the last. */
const LOOK_FIRST_MILLISECONDS = 50;
const LOOK_LAST_MILLISECONDS = 30_000;
const FAILURES_TOLD_MAX = 5;

export interface DefinitionKeeperOptions {
  home: Home;
  homeOf(namespace: string): Pick<NamespaceHomeInternalRpc, "deleteInstances">;
  namespaces(): readonly string[];
  /** Of all definitions. */
  claims(): Iterable<DefinitionClaim>;
  /** Deletes instances that live in this home; answers how many there still are. */
  deleteHere(resource: string): Promise<{ remaining: number; failures: string[] }>;
  /** Resolves when everybody knows that no more instances are to be made. */
  told(): Promise<void> | undefined;
  later(milliseconds: number, work: () => void): void;
  now(): number;
}

/**
 * Ends CustomResourceDefinitions that are being deleted: first all their instances, in all namespaces, then themselves
 * (apiextensions-apiserver's controller `finalizer`).
 */
export class DefinitionKeeper {
  readonly #options: DefinitionKeeperOptions;
  readonly #ending = new Set<string>();
  #isAwake = false;

  constructor(options: DefinitionKeeperOptions) {
    this.#options = options;
    options.home.store.onCommit((changes) => {
      for (const { type, stored, previous } of changes) {
        if (stored.resource !== DEFINITIONS) continue;
        const definition = stored.object as CustomResourceDefinitionObject;
        const { acceptedNames } = (previous?.object as CustomResourceDefinitionObject | undefined)?.status ?? {};
        const hasFreed =
          acceptedNames && (type === "DELETED" || !sameJson(acceptedNames, definition.status?.acceptedNames));
        if (hasFreed) this.#reconsider(definition.spec.group);
        if (type !== "DELETED" && isEnding(definition)) this.#end(stored.name);
      }
    });
  }

  get isBusy(): boolean {
    return this.#ending.size > 0;
  }

  /** Takes up, once, what an earlier instance had begun. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    for (const claim of this.#options.claims()) {
      if (claim.isEnding) this.#end(claim.name);
      else if (lacksNames(claim)) this.#settleNames(claim.name);
    }
  }

  /** Names of the group may have been freed that other definitions of it wait for. */
  #reconsider(group: string): void {
    this.#options.later(0, () => {
      for (const claim of this.#options.claims())
        if (claim.group === group && lacksNames(claim)) this.#settleNames(claim.name);
    });
  }

  /** An update that changes nothing: what becomes of the names is settled with it. */
  #settleNames(name: string): void {
    void this.#update(name, MAIN, () => undefined).catch((error: unknown) =>
      console.warn(`custom resource definition ${name}: its names could not be settled: ${String(error)}`),
    );
  }

  #end(name: string): void {
    if (this.#ending.has(name)) return;
    this.#ending.add(name);
    void this.#endWhileThere(name).finally(() => this.#ending.delete(name));
  }

  async #endWhileThere(name: string): Promise<void> {
    for (let delay = LOOK_FIRST_MILLISECONDS; ; delay = Math.min(delay * 2, LOOK_LAST_MILLISECONDS)) {
      try {
        if (await this.#endOnce(name)) return;
      } catch (error) {
        if (error instanceof ApiError && error.reason === "NotFound") return;
        console.warn(`custom resource definition ${name}: its instances could not be deleted: ${String(error)}`);
      }
      await new Promise<void>((resolve) => this.#options.later(delay, resolve));
    }
  }

  /** Answers whether the definition needs no more of us. */
  async #endOnce(name: string): Promise<boolean> {
    const { home, told } = this.#options;
    const definition = home.store.read((tx) => tx.get(DEFINITIONS, name))?.object as
      | CustomResourceDefinitionObject
      | undefined;
    if (!definition || !isEnding(definition)) return true;
    if (!hasCondition(definition, "Established")) {
      await this.#finish(name, "NeverEstablished", "resource was never established");
      return true;
    }
    await this.#condition(name, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
    await told();
    const { remaining, failures } = await this.#deleteInstances(definition);
    if (failures.length > 0) {
      const why = failures.slice(0, FAILURES_TOLD_MAX).join(", ");
      await this.#condition(name, "True", "InstanceDeletionFailed", `could not issue all deletes: ${why}`);
    }
    if (remaining > 0 || failures.length > 0) return false;
    await this.#finish(name, "InstanceDeletionCompleted", "removed all instances");
    return true;
  }

  async #deleteInstances({ spec }: Readonly<CustomResourceDefinitionObject>) {
    const { homeOf, namespaces, deleteHere } = this.#options;
    const resource = resourceName({ group: spec.group, resource: spec.names.plural });
    if (spec.scope === "Cluster") return await deleteHere(resource);
    let remaining = 0;
    const failures: string[] = [];
    await forEachBounded(namespaces(), async (namespace) => {
      try {
        const answer = await homeOf(namespace).deleteInstances(resource);
        remaining += answer.remaining;
        failures.push(...answer.failures);
      } catch (error) {
        failures.push(`${namespace}: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    return { remaining, failures };
  }

  async #condition(name: string, status: string, reason: string, message: string): Promise<void> {
    await this.#update(name, STATUS, (definition) => {
      const conditions = withDefinitionCondition(
        definition.status?.conditions ?? [],
        { type: "Terminating", status, reason, message },
        timestampOf(this.#options.now()),
      );
      definition.status = { ...definition.status, conditions };
    });
  }

  async #finish(name: string, reason: string, message: string): Promise<void> {
    await this.#condition(name, "False", reason, message);
    await this.#update(name, MAIN, ({ metadata }) => {
      metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP);
    });
  }

  async #update(
    name: string,
    strategy: UpdateStrategy,
    change: (definition: CustomResourceDefinitionObject) => void,
  ): Promise<void> {
    await this.#options.home.write(USER, (writing) => {
      updateObject(
        writing,
        servedOf(CustomResourceDefinition),
        name,
        (current) => {
          const next = copyOf(current as CustomResourceDefinitionObject);
          change(next);
          return next;
        },
        strategy,
      );
    });
  }
}

const lacksNames = ({ names, acceptedNames }: DefinitionClaim): boolean => !sameJson(names, acceptedNames);
