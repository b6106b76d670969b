import type { HistoryRow } from "./simulated-database.ts";

/** One committed version, as the home that holds it wrote it down. */
export interface Version {
  /** The namespace; empty in the ClusterHome. */
  home: string;
  revision: number;
  resource: string;
  name: string;
  json: string;
  isDeleted: boolean;
  /** The version that it replaced or removed. */
  previous: Version | undefined;
  /** When it was committed, in the world's time. */
  at: number;
}

/** What a watcher is to be told of a change. */
export interface Told {
  type: "ADDED" | "MODIFIED" | "DELETED";
  home: string;
  name: string;
  revision: number;
  /** The object's text but for its revision: the mark of whoever wrote it. */
  mark: string;
}

/** Which objects a request is about; without a home: of all. */
export interface Scope {
  resource: string;
  home?: string | undefined;
  label?: string | undefined;
}

const MARK = /"mark":"([^"]*)"/;
const LABEL = /"team":"([^"]*)"/;

export const markOf = (json: string): string => MARK.exec(json)?.[1] ?? "";
const labelOf = (json: string): string | undefined => LABEL.exec(json)?.[1];

const isSelected = ({ label }: Scope, { json }: Version): boolean => label === undefined || labelOf(json) === label;

/** What was committed, read from the homes' tables as they were written: what everything that clients saw is compared with. */
export class Truth {
  /** Of each home in the order of its commits; what may still be lost with its instance is apart. */
  readonly #versions = new Map<string, Version[]>();
  readonly #unsynced = new Map<string, Version[]>();
  readonly #current = new Map<string, Version>();
  readonly complaints: string[] = [];
  #sorted: Version[] | undefined;

  committed(home: string, rows: HistoryRow[], now: number): void {
    const unsynced = this.#unsynced.get(home) ?? [];
    this.#unsynced.set(home, unsynced);
    for (const { revision, resource, name, json, deleted } of rows) {
      const last = unsynced.at(-1) ?? this.#versions.get(home)?.at(-1);
      if (last && revision <= last.revision)
        this.complaints.push(`${home || "the cluster"}: revision ${revision} after ${last.revision}`);
      const key = `${home} ${resource}/${name}`;
      const previous =
        unsynced.findLast((each) => each.resource === resource && each.name === name) ?? this.#current.get(key);
      const isDeleted = deleted === 1;
      const version: Version = {
        home,
        revision,
        resource,
        name,
        json,
        isDeleted,
        previous: previous?.isDeleted ? undefined : previous,
        at: now,
      };
      if (!json.includes(`"resourceVersion":"${revision}"`))
        this.complaints.push(`${key} at ${revision} has another revision in its text`);
      unsynced.push(version);
    }
  }

  synced(home: string): void {
    const unsynced = this.#unsynced.get(home) ?? [];
    if (unsynced.length === 0) return;
    const versions = this.#versions.get(home) ?? [];
    this.#versions.set(home, versions);
    versions.push(...unsynced);
    for (const version of unsynced) this.#current.set(`${home} ${version.resource}/${version.name}`, version);
    this.#unsynced.delete(home);
    this.#sorted = undefined;
  }

  lost(home: string): void {
    this.#unsynced.delete(home);
  }

  /** Everything, in the order of revisions; once all is synced. */
  get all(): readonly Version[] {
    this.#sorted ??= [...this.#versions.values()].flat().sort((a, b) => a.revision - b.revision);
    return this.#sorted;
  }

  get homes(): string[] {
    return [...this.#versions.keys()];
  }

  lastOf(home: string): number {
    return this.#versions.get(home)?.at(-1)?.revision ?? 0;
  }

  checkUnique(): void {
    const { all } = this;
    for (let i = 1; i < all.length; i++) {
      const [a, b] = [all[i - 1]!, all[i]!];
      if (a.revision === b.revision)
        this.complaints.push(`revision ${a.revision} is ${a.home} ${a.name}'s and ${b.home} ${b.name}'s`);
    }
  }

  /** Versions of a resource in the order of revisions. */
  versions({ resource, home }: Scope): Version[] {
    return this.all.filter((each) => each.resource === resource && (home === undefined || each.home === home));
  }

  /** `namespace/name` → version of what there is at a revision, in the order of a list. */
  stateAt(scope: Scope, revision: number): Map<string, Version> {
    const state = new Map<string, Version>();
    for (const version of this.versions(scope)) {
      if (version.revision > revision) break;
      const key = `${version.home}/${version.name}`;
      if (version.isDeleted || !isSelected(scope, version)) state.delete(key);
      else state.set(key, version);
    }
    return new Map([...state].sort(([, a], [, b]) => compare(a.home, b.home) || compare(a.name, b.name)));
  }

  /** What a watcher that knows the state at a revision is to be told from then on. */
  changesAfter(scope: Scope, revision: number): Told[] {
    const told: Told[] = [];
    for (const version of this.versions(scope)) {
      if (version.revision <= revision) continue;
      const { home, name, previous, json } = version;
      const saw = previous !== undefined && isSelected(scope, previous);
      const sees = !version.isDeleted && isSelected(scope, version);
      if (!saw && !sees) continue;
      // Of what leaves its selection a watcher is told the last state that it saw.
      const mark = sees || version.isDeleted ? markOf(json) : markOf(previous!.json);
      const type = sees ? (saw ? "MODIFIED" : "ADDED") : "DELETED";
      told.push({ type, home, name, revision: version.revision, mark });
    }
    return told;
  }
}

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
