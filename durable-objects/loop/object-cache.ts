import type { KindRef } from "../../api/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { resourceName } from "../../api/status.ts";
import type { HomeView, KindedObject } from "../controllers/controller.ts";
import { controllerOf } from "../controllers/controller.ts";
import { type Change, Stored } from "../store/stored.ts";
import type { ReadTransaction } from "../store/transaction.ts";

/** Bounds what stays parsed between passes, in characters of JSON text; whole resources are dropped beyond it. */
export const CACHED_JSON_MAX = 32 * 1024 * 1024;

/** All objects of one resource, parsed and frozen. */
class ResourceCache {
  readonly entries = new Map<string, Stored>();
  /** By UTF-16 order, as the store lists. */
  readonly names: string[] = [];
  readonly controlled = new Map<string, Set<string>>();
  /** Of the state it was read at: older changes are in it already. */
  readonly revision: number;
  size = 0;

  constructor(revision: number) {
    this.revision = revision;
  }

  put(stored: Stored): void {
    const { name } = stored;
    const previous = this.entries.get(name);
    if (previous) {
      this.size -= previous.json.length;
      this.#unlink(name, previous.object);
    } else this.names.splice(insertionIndex(this.names, name), 0, name);
    this.entries.set(name, stored);
    this.size += stored.json.length;
    const uid = controllerOf(stored.object)?.uid;
    if (uid !== undefined) addTo(this.controlled, uid, name);
  }

  delete(name: string): void {
    const previous = this.entries.get(name);
    if (!previous) return;
    this.size -= previous.json.length;
    this.#unlink(name, previous.object);
    this.entries.delete(name);
    this.names.splice(insertionIndex(this.names, name), 1);
  }

  #unlink(name: string, object: Readonly<KubeObject>): void {
    const uid = controllerOf(object)?.uid;
    if (uid !== undefined) removeFrom(this.controlled, uid, name);
  }
}

/** Who names whom as owner, over all resources: keys are `resource/name`. Light: objects themselves are not kept. */
class OwnerIndex {
  readonly revision: number;
  readonly #dependents = new Map<string, Set<string>>();
  readonly #owners = new Map<string, string[]>();

  constructor(revision: number) {
    this.revision = revision;
  }

  put(stored: Stored): void {
    const { resource, name } = stored;
    const key = `${resource}/${name}`;
    this.delete(resource, name);
    // Spares parsing what has none.
    if (!stored.json.includes('"ownerReferences"')) return;
    const uids = (stored.object.metadata.ownerReferences ?? []).map((owner) => owner.uid);
    if (uids.length === 0) return;
    this.#owners.set(key, uids);
    for (const uid of uids) addTo(this.#dependents, uid, key);
  }

  delete(resource: string, name: string): void {
    const key = `${resource}/${name}`;
    for (const uid of this.#owners.get(key) ?? []) removeFrom(this.#dependents, uid, key);
    this.#owners.delete(key);
  }

  keysOf(uid: string): string[] {
    return [...(this.#dependents.get(uid) ?? [])].sort();
  }
}

interface CustomKinds {
  readonly kinds: readonly KindRef[];
  readonly byResource: ReadonlyMap<string, KindRef>;
  readonly byName: ReadonlyMap<string, KindRef>;
}

const NO_KINDS: readonly KindRef[] = [];

/**
 * The parsed objects of a home, so that a namespace of a thousand pods is parsed once and not once a pass. Whoever has
 * it tells it of every change in order (`apply`), and opens a view only when it has been told all.
 */
export class ObjectCache {
  readonly #kinds: ReadonlyMap<string, KindRef>;
  readonly #kindsByName: ReadonlyMap<string, KindRef>;
  /** In order of last use, the latest last. */
  readonly #resources = new Map<string, ResourceCache>();
  #owners: OwnerIndex | undefined;
  /** Read since the last `open`: perhaps from a state that is undone. */
  #loaded: string[] = [];
  #ownersLoaded = false;

  /** The same array as long as they are the same. */
  readonly #customKinds: () => readonly KindRef[];
  #known: CustomKinds | undefined;

  /** `kinds`: all that the home may hold, but for the cluster's own, which come and go. */
  constructor(kinds: readonly KindRef[], customKinds: () => readonly KindRef[] = () => NO_KINDS) {
    this.#customKinds = customKinds;
    this.#kinds = new Map(kinds.map((kind) => [resourceName(kind), kind]));
    this.#kindsByName = new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind]));
  }

  /** Of several versions the first: objects say for themselves which they are in. */
  #custom(): CustomKinds {
    const kinds = this.#customKinds();
    if (this.#known?.kinds !== kinds) {
      const last = [...kinds].reverse();
      const byResource = new Map(last.map((kind) => [resourceName(kind), kind]));
      this.#known = { kinds, byResource, byName: new Map(last.map((kind) => [`${kind.group}/${kind.kind}`, kind])) };
    }
    return this.#known;
  }

  /** A view of the transaction's state as it is now; a consistent cut until the transaction's next write. */
  open(tx: ReadTransaction): HomeView {
    this.#loaded = [];
    this.#ownersLoaded = false;
    return new StoreView(this, tx);
  }

  /** What was written since `open` has been undone. */
  undo(): void {
    for (const resource of this.#loaded) this.#resources.delete(resource);
    if (this.#ownersLoaded) this.#owners = undefined;
  }

  clear(): void {
    this.#resources.clear();
    this.#owners = undefined;
  }

  apply({ type, revision, stored }: Change): void {
    const { resource, name } = stored;
    const cached = this.#resources.get(resource);
    if (cached && cached.revision < revision) {
      if (type === "DELETED") cached.delete(name);
      else cached.put(stored);
    }
    if (this.#owners && this.#owners.revision < revision) {
      if (type === "DELETED") this.#owners.delete(resource, name);
      else this.#owners.put(stored);
    }
  }

  kindOf(resource: string): KindRef | undefined {
    return this.#kinds.get(resource) ?? this.#custom().byResource.get(resource);
  }

  kindNamed(group: string, kind: string): KindRef | undefined {
    return this.#kindsByName.get(`${group}/${kind}`) ?? this.#custom().byName.get(`${group}/${kind}`);
  }

  get(tx: ReadTransaction, resource: string, name: string): Readonly<KubeObject> | undefined {
    const cached = this.#resources.get(resource);
    return (cached ? cached.entries.get(name) : tx.get(resource, name))?.object;
  }

  resource(tx: ReadTransaction, resource: string): ResourceCache {
    let cached = this.#resources.get(resource);
    if (cached) this.#resources.delete(resource);
    else {
      cached = new ResourceCache(tx.revision);
      this.#loaded.push(resource);
      for (const stored of read(tx, resource)) cached.put(stored);
    }
    this.#resources.set(resource, cached);
    return cached;
  }

  ownerIndex(tx: ReadTransaction): OwnerIndex {
    if (this.#owners) return this.#owners;
    const index = new OwnerIndex(tx.revision);
    for (const resource of tx.counts().keys()) for (const stored of readInPages(tx, resource)) index.put(stored);
    this.#owners = index;
    this.#ownersLoaded = true;
    return index;
  }

  /** Drops the resources unused longest until what is left is within the bound. */
  trim(max = CACHED_JSON_MAX): void {
    let total = 0;
    for (const cached of this.#resources.values()) total += cached.size;
    for (const [resource, cached] of this.#resources) {
      if (total <= max) return;
      total -= cached.size;
      this.#resources.delete(resource);
    }
  }
}

class StoreView implements HomeView {
  readonly #cache: ObjectCache;
  readonly #tx: ReadTransaction;

  constructor(cache: ObjectCache, tx: ReadTransaction) {
    this.#cache = cache;
    this.#tx = tx;
  }

  get<T extends KubeObject>(kind: KindRef<T>, name: string): Readonly<T> | undefined {
    return this.#cache.get(this.#tx, resourceName(kind), name) as T | undefined;
  }

  list<T extends KubeObject>(
    kind: KindRef<T>,
    { ownedBy, labels }: { ownedBy?: { metadata: { uid?: string } }; labels?: Record<string, string> } = {},
  ): Readonly<T>[] {
    const { entries, names, controlled } = this.#cache.resource(this.#tx, resourceName(kind));
    const among = ownedBy ? [...(controlled.get(ownedBy.metadata.uid ?? "") ?? [])].sort() : names;
    const objects = among.map((name) => entries.get(name)!.object as Readonly<T>);
    if (!labels) return objects;
    const wanted = Object.entries(labels);
    return objects.filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
  }

  names(kind: KindRef): string[] {
    return this.#tx.names(resourceName(kind));
  }

  kinds(): KindRef[] {
    return [...this.#tx.counts().keys()].sort().flatMap((resource) => this.#cache.kindOf(resource) ?? []);
  }

  dependents(uid: string): KindedObject[] {
    return this.#cache
      .ownerIndex(this.#tx)
      .keysOf(uid)
      .flatMap((key) => {
        const slash = key.indexOf("/");
        const kind = this.#cache.kindOf(key.slice(0, slash));
        const object = kind && this.get(kind, key.slice(slash + 1));
        return object ? [{ kind, object }] : [];
      });
  }

  owner(reference: OwnerReference): KindedObject | "absent" | "unknown" {
    const slash = reference.apiVersion.indexOf("/");
    const group = slash < 0 ? "" : reference.apiVersion.slice(0, slash);
    const kind = this.#cache.kindNamed(group, reference.kind);
    if (!kind) return "unknown";
    const object = this.get(kind, reference.name);
    return object && object.metadata.uid === reference.uid ? { kind, object } : "absent";
  }
}

const read = (tx: ReadTransaction, resource: string): Stored[] =>
  tx.texts(resource).map(({ name, revision, json }) => new Stored(resource, name, revision, json));

/** Objects that are in memory at a time where they are looked at once: some kinds' are large. */
const PAGE_OBJECTS = 32;

function* readInPages(tx: ReadTransaction, resource: string): Generator<Stored> {
  for (let after = ""; ; ) {
    const page = tx.texts(resource, { after, limit: PAGE_OBJECTS });
    for (const { name, revision, json } of page) yield new Stored(resource, name, revision, json);
    if (page.length < PAGE_OBJECTS) return;
    after = page.at(-1)!.name;
  }
}

function insertionIndex(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addTo(sets: Map<string, Set<string>>, key: string, member: string): void {
  const set = sets.get(key);
  if (set) set.add(member);
  else sets.set(key, new Set([member]));
}

function removeFrom(sets: Map<string, Set<string>>, key: string, member: string): void {
  const set = sets.get(key);
  set?.delete(member);
  if (set?.size === 0) sets.delete(key);
}
