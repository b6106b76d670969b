import type { Operation } from "./linearizability.ts";

/**
 * What has been committed to one resource of a cluster, in revision order, and whether what clients saw of it agrees: every check
 * answers with complaints, none where all is well.
 */

export interface RecordedChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  namespace: string;
  name: string;
  /** Of a deletion, the deletion's own. */
  revision: number;
  /** What tells the object's versions apart; of a deletion, the last. */
  value: string;
}

export interface RecordedItem {
  namespace: string;
  name: string;
  revision: number;
  value: string;
}

/** What a client was answered to a list (of a namespace where one is named; of all pages, where there were several). */
export interface RecordedList {
  namespace?: string;
  revision: number;
  items: readonly RecordedItem[];
  /** On the clock of the operations. Absent for a list of the past, which only has to be what was then. */
  asked?: { invoked: number; responded: number };
}

/** What a client was told by a watch from a revision on, over all its reconnections. */
export interface RecordedWatch {
  namespace?: string;
  /** It knew all up to here. */
  from: number;
  /** It has been told all up to here. */
  upTo: number;
  changes: readonly RecordedChange[];
}

/** As `Operation.key`s of the resource. */
export const keyOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

export class RecordedHistory {
  /** In revision order. */
  readonly changes: readonly RecordedChange[];
  readonly #byRevision = new Map<number, RecordedChange>();

  constructor(changes: readonly RecordedChange[]) {
    this.changes = changes.toSorted((a, b) => a.revision - b.revision);
    for (const change of this.changes) this.#byRevision.set(change.revision, change);
  }

  /** Objects as they were once everything up to the revision was committed, by key. */
  stateAt(revision: number, namespace?: string): Map<string, RecordedItem> {
    const state = new Map<string, RecordedItem>();
    for (const change of this.#between(0, revision, namespace)) {
      const { type, ...item } = change;
      if (type === "DELETED") state.delete(keyOf(change));
      else state.set(keyOf(change), item);
    }
    return state;
  }

  /** Whether the changes can have happened at all: each with a revision of its own, ADDED first, DELETED last. */
  complaints(): string[] {
    const complaints: string[] = [];
    const there = new Map<string, string>();
    for (const [index, change] of this.changes.entries()) {
      const last = there.get(keyOf(change));
      if (change.revision === this.changes[index - 1]?.revision)
        complaints.push(`${show(change)} has the revision of ${show(this.changes[index - 1]!)}`);
      if ((change.type === "ADDED") !== (last === undefined))
        complaints.push(`${show(change)} follows ${last ?? "nothing"}`);
      if (change.type === "DELETED") there.delete(keyOf(change));
      else there.set(keyOf(change), show(change));
    }
    return complaints;
  }

  /**
   * Whether every write that was acknowledged is there as it was sent, nothing is there that nobody sent, and no write twice. Each write of a
   * key has a value of its own; `isOurs` says which keys only these operations write.
   */
  complaintsAboutWrites(operations: readonly Operation[], isOurs: (key: string) => boolean = () => true): string[] {
    const complaints: string[] = [];
    const byValue = new Map<string, Operation>();
    const deletions = new Map<string, { acknowledged: number; lost: number; there: number }>();
    for (const operation of operations) {
      const { key, action, outcome } = operation;
      if (action.verb === "get") continue;
      if (action.verb === "delete") {
        const count = deletions.get(key) ?? { acknowledged: 0, lost: 0, there: 0 };
        if (outcome?.result === "ok") count.acknowledged++;
        if (!outcome) count.lost++;
        deletions.set(key, count);
        continue;
      }
      byValue.set(`${key} ${action.value}`, operation);
      if (outcome?.result !== "ok" || outcome.revision === undefined) continue;
      const change = this.#byRevision.get(outcome.revision);
      if (!change || keyOf(change) !== key || change.value !== action.value)
        complaints.push(
          `acknowledged, and not there: ${JSON.stringify(operation)}${change ? `; there is ${show(change)}` : ""}`,
        );
    }
    const seen = new Set<string>();
    for (const change of this.changes) {
      const key = keyOf(change);
      if (!isOurs(key)) continue;
      if (change.type === "DELETED") {
        const count = deletions.get(key);
        if (count) count.there++;
        else complaints.push(`${show(change)}: nobody deleted it`);
        continue;
      }
      const written = `${key} ${change.value}`;
      const operation = byValue.get(written);
      const verb = change.type === "ADDED" ? "create" : "update";
      if (operation?.action.verb !== verb) complaints.push(`${show(change)}: nobody sent it`);
      else if (operation.outcome && operation.outcome.result !== "ok")
        complaints.push(`${show(change)}: was refused (${operation.outcome.result})`);
      if (seen.has(written)) complaints.push(`${show(change)}: written twice`);
      seen.add(written);
    }
    for (const [key, { acknowledged, lost, there }] of deletions)
      if (isOurs(key) && (there < acknowledged || there > acknowledged + lost))
        complaints.push(`${key} was deleted ${there} times: ${acknowledged} acknowledged, ${lost} unanswered`);
    return complaints;
  }

  /** Whether a list is the state at its revision, has what was acknowledged before it was asked for, and nothing that was asked for after its end. */
  complaintsAboutList(
    { namespace, revision, items, asked }: RecordedList,
    operations: readonly Operation[] = [],
  ): string[] {
    const what = `list of ${namespace ?? "all namespaces"} at ${revision}`;
    const complaints: string[] = [];
    const state = this.stateAt(revision, namespace);
    for (const item of items) {
      const expected = state.get(keyOf(item));
      state.delete(keyOf(item));
      if (expected?.revision !== item.revision || expected.value !== item.value)
        complaints.push(`${what}: has ${show(item)}, not ${expected ? show(expected) : "nothing"} (or has it twice)`);
    }
    for (const missing of state.values()) complaints.push(`${what}: lacks ${show(missing)}`);
    if (!asked) return complaints;
    for (const { key, action, outcome, invoked, responded } of operations) {
      if (action.verb === "get" || outcome?.result !== "ok" || outcome.revision === undefined) continue;
      if (namespace !== undefined && !key.startsWith(`${namespace}/`)) continue;
      if (responded < asked.invoked && outcome.revision > revision)
        complaints.push(`${what}: ${key} was written at ${outcome.revision} before it was asked for`);
      if (invoked > asked.responded && outcome.revision <= revision)
        complaints.push(`${what}: ${key} was written at ${outcome.revision} after it was answered`);
    }
    return complaints;
  }

  /** Whether a watch told each change once and in revision order. Only what is wrong first is told: the rest follows from it. */
  complaintsAboutWatch({ namespace, from, upTo, changes }: RecordedWatch): string[] {
    const what = `watch of ${namespace ?? "all namespaces"} after ${from}`;
    const expected = this.#between(from, upTo, namespace);
    const told = changes.filter(({ revision }) => revision <= upTo);
    for (let index = 0; index < Math.max(expected.length, told.length); index++) {
      const [one, other] = [expected[index], told[index]];
      if (one && other && show(one) === show(other)) continue;
      return [`${what}: change ${index + 1} is ${other ? show(other) : "missing"}, not ${one ? show(one) : "the end"}`];
    }
    return [];
  }

  #between(after: number, upTo: number, namespace: string | undefined): RecordedChange[] {
    return this.changes.filter(
      (change) =>
        change.revision > after &&
        change.revision <= upTo &&
        (namespace === undefined || change.namespace === namespace),
    );
  }
}

const show = (change: RecordedItem & { type?: string }): string =>
  `${change.type ? `${change.type} ` : ""}${keyOf(change)} ${JSON.stringify(change.value)} at ${change.revision}`;
