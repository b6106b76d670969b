/**
 * Whether what concurrent clients were answered could have been answered by one register per key that does one thing at a time, each between
 * its invocation and its response (Herlihy & Wing). The search is Wing & Gong's with Lowe's memory of where it has been.
 */

/** What a client asked of one key. `from` is a precondition: the resourceVersion that the object must have. */
export type Action =
  | { verb: "get" }
  | { verb: "create"; value: string }
  /** Also a patch that leaves nothing of what was there before. */
  | { verb: "update"; value: string; from?: number }
  | { verb: "delete"; from?: number };

/** `ok`: done; of a get what was seen, of a write its revision (a delete's may be unknown). The others are refusals, which change nothing. */
export type Outcome =
  | { result: "ok"; value?: string; revision?: number }
  | { result: "absent" }
  | { result: "exists" }
  | { result: "conflict" };

export interface Operation {
  /** Names one register: `configmaps default/web`. */
  key: string;
  action: Action;
  /** When it was asked and answered, on one clock or counter of all clients; no two are the same. */
  invoked: number;
  /** Infinity where the connection was lost: it has happened at some time after `invoked`, or never will. */
  responded: number;
  /** Absent where nothing is known. */
  outcome?: Outcome;
}

export type Verdict = { ok: true } | { ok: false; key: string; why: string };

/** Of one key. A search that needs more is given up, and said to be undecided. */
const PLACES_MAX = 2_000_000;

/**
 * Checks each key by itself: linearizability is local. A revision is greater than any that its key had before.
 * Linear where nothing is unknown and clients are few; give each write of a key a value of its own, or it may take long.
 */
export function checkLinearizable(operations: readonly Operation[]): Verdict {
  for (const [key, own] of Map.groupBy(operations, (operation) => operation.key)) {
    const why = new Search(own).complaint();
    if (why !== undefined) return { ok: false, key, why };
  }
  return { ok: true };
}

/** The register. Its revision is exact, or only known to be greater than this one (after a write that nobody was answered). */
export interface Register {
  value: string | undefined;
  revision: number;
  isExact: boolean;
}

export const EMPTY: Register = { value: undefined, revision: 0, isExact: true };

/** The register after an operation; the same one where nothing changes, undefined where it would have answered otherwise. */
export function step(register: Register, { action, outcome }: Operation): Register | undefined {
  const { value } = register;
  if (!outcome) return written(register, action, undefined);
  if (outcome.result === "absent") return action.verb !== "create" && value === undefined ? register : undefined;
  if (outcome.result === "exists") return action.verb === "create" && value !== undefined ? register : undefined;
  if (outcome.result === "conflict") {
    const from = "from" in action ? action.from : undefined;
    // Where the revision is not known, nothing speaks against the refusal.
    return from !== undefined && value !== undefined && !(register.isExact && register.revision === from)
      ? register
      : undefined;
  }
  if (action.verb !== "get") return written(register, action, outcome.revision);
  return outcome.value === value && outcome.value !== undefined ? seen(register, outcome.revision) : undefined;
}

/** The register whose object has been seen at a revision. */
function seen(register: Register, revision: number | undefined): Register | undefined {
  if (revision === undefined) return register;
  if (register.isExact) return register.revision === revision ? register : undefined;
  return revision > register.revision ? { value: register.value, revision, isExact: true } : undefined;
}

function written(before: Register, action: Action, revision: number | undefined): Register | undefined {
  if (action.verb === "get") return before;
  if ((action.verb === "create") !== (before.value === undefined)) return undefined;
  const found = "from" in action ? seen(before, action.from) : before;
  if (!found) return undefined;
  const value = action.verb === "delete" ? undefined : action.value;
  // An update that changes nothing keeps the revision.
  if (value === found.value && (revision === undefined || (found.isExact && revision === found.revision))) return found;
  if (revision === undefined) return { value, revision: found.revision, isExact: false };
  return revision > found.revision ? { value, revision, isExact: true } : undefined;
}

/** How far a search has come: the answered operations before `first` and those of `beyond` are done, of the unanswered those of `lost`. */
interface Place {
  first: number;
  beyond: readonly number[];
  lost: readonly number[];
  register: Register;
}

class Search {
  /** In the order of their invocations. */
  readonly #answered: Operation[];
  readonly #unanswered: Operation[];
  /** By value, which answered operations have seen it. */
  readonly #readers = new Map<string, number[]>();
  /** The least revision that the answered operations from this one on have met. */
  readonly #leastFrom: number[];
  readonly #isDistinct: boolean;

  constructor(operations: readonly Operation[]) {
    const sorted = operations.toSorted((a, b) => a.invoked - b.invoked);
    this.#answered = sorted.filter(({ outcome }) => outcome);
    this.#unanswered = sorted.filter(({ action, outcome }) => !outcome && action.verb !== "get");
    const values = sorted.flatMap(({ action }) => ("value" in action ? [action.value] : []));
    this.#isDistinct = new Set(values).size === values.length;
    this.#leastFrom = this.#answered.map(met);
    for (let index = this.#answered.length - 2; index >= 0; index--)
      this.#leastFrom[index] = Math.min(this.#leastFrom[index]!, this.#leastFrom[index + 1]!);
    for (const [index, { action, outcome }] of this.#answered.entries()) {
      if (action.verb !== "get" || outcome?.result !== "ok" || outcome.value === undefined) continue;
      const there = this.#readers.get(outcome.value);
      if (there) there.push(index);
      else this.#readers.set(outcome.value, [index]);
    }
  }

  /** Undefined where an order exists. */
  complaint(): string | undefined {
    const places: Place[] = [{ first: 0, beyond: [], lost: [], register: EMPTY }];
    const known = new Set<string>();
    let furthest = places[0]!;
    for (let place = places.pop(); place; place = places.pop()) {
      if (place.first === this.#answered.length) return undefined;
      if (known.size >= PLACES_MAX) return `undecided after ${PLACES_MAX} places; ${this.#describe(furthest)}`;
      if (done(place) > done(furthest)) furthest = place;
      for (const next of this.#next(place)) {
        const name = nameOf(next);
        if (known.has(name)) continue;
        known.add(name);
        places.push(next);
      }
    }
    return this.#describe(furthest);
  }

  /** Where one more operation leads, the most promising last. */
  #next(place: Place): Place[] {
    const { register, beyond } = place;
    const open: number[] = [];
    let least = Number.POSITIVE_INFINITY;
    // Nothing comes before what was answered before it was asked.
    let end = Number.POSITIVE_INFINITY;
    let index = place.first;
    for (; index < this.#answered.length && this.#answered[index]!.invoked < end; index++) {
      if (beyond.includes(index)) continue;
      const operation = this.#answered[index]!;
      end = Math.min(end, operation.responded);
      least = Math.min(least, met(operation));
      open.push(index);
    }
    // Somebody has yet to meet a revision that is gone for ever.
    least = Math.min(least, this.#leastFrom[index] ?? least);
    if (register.isExact ? least < register.revision : least <= register.revision) return [];

    const next: Place[] = [];
    for (const candidate of open) {
      const after = step(register, this.#answered[candidate]!);
      if (!after) continue;
      const there = move(place, candidate, after);
      // What changes nothing can as well be done now: no other order has to be tried.
      if (after === register) return [there];
      if (!this.#losesValue(there, register)) next.unshift(there);
    }
    return [...this.#nextLost(place, end), ...next];
  }

  #nextLost(place: Place, end: number): Place[] {
    const next: Place[] = [];
    const tried = new Set<string>();
    for (const [index, operation] of this.#unanswered.entries()) {
      if (operation.invoked > end) break;
      if (place.lost.includes(index)) continue;
      // Of those that nobody can tell apart the first is as good as any.
      const sort = this.#sortOf(operation);
      if (tried.has(sort)) continue;
      tried.add(sort);
      const after = step(place.register, operation);
      if (!after || after === place.register) continue;
      const there = { ...place, lost: [...place.lost, index].sort(ascending), register: after };
      if (!this.#losesValue(there, place.register)) next.unshift(there);
    }
    return next;
  }

  #sortOf({ action }: Operation): string {
    const value = "value" in action && (!this.#isDistinct || this.#readers.has(action.value)) ? action.value : null;
    return JSON.stringify([action.verb, "from" in action ? action.from : null, value]);
  }

  /** Whether a value that is written once was overwritten, and somebody has yet to see it. */
  #losesValue(place: Place, { value }: Register): boolean {
    if (!this.#isDistinct || value === undefined || value === place.register.value) return false;
    return this.#readers.get(value)?.some((index) => !isDone(place, index)) ?? false;
  }

  #describe(place: Place): string {
    const left = this.#answered.filter((_, index) => !isDone(place, index));
    const stuck = left.reduce((a, b) => (a.responded < b.responded ? a : b));
    const { value, revision, isExact } = place.register;
    const there =
      value === undefined ? "nothing" : `${JSON.stringify(value)} at ${isExact ? "" : "more than "}${revision}`;
    return `${done(place)} of ${this.#answered.length} operations have an order; with ${there} there, no answer fits ${JSON.stringify(stuck)}`;
  }
}

function move(place: Place, index: number, register: Register): Place {
  const beyond = [...place.beyond, index].sort(ascending);
  let { first } = place;
  while (beyond[0] === first) {
    beyond.shift();
    first++;
  }
  return { first, beyond, lost: place.lost, register };
}

/** The least revision that the register must have had for this answer. */
function met({ action, outcome }: Operation): number {
  if (outcome?.result !== "ok") return Number.POSITIVE_INFINITY;
  const from = "from" in action ? action.from : undefined;
  return from ?? outcome.revision ?? Number.POSITIVE_INFINITY;
}

const ascending = (a: number, b: number): number => a - b;
const done = ({ first, beyond }: Place): number => first + beyond.length;
const isDone = ({ first, beyond }: Place, index: number): boolean => index < first || beyond.includes(index);
const nameOf = ({ first, beyond, lost, register }: Place): string =>
  JSON.stringify([first, beyond, lost, register.value ?? null, register.revision, register.isExact]);
