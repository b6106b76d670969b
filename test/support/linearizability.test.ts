import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Action,
  checkLinearizable,
  EMPTY,
  type Operation,
  type Outcome,
  type Register,
  step,
} from "./linearizability.ts";

type Asked = [from: number, to: number, action: Action, outcome?: Outcome];

const get: Action = { verb: "get" };
const remove = (from?: number): Action => ({ verb: "delete", ...(from !== undefined && { from }) });
const create = (value: string): Action => ({ verb: "create", value });
const update = (value: string, from?: number): Action => ({
  verb: "update",
  value,
  ...(from !== undefined && { from }),
});
const at = (revision: number, value?: string): Outcome => ({
  result: "ok",
  revision,
  ...(value !== undefined && { value }),
});
const ABSENT: Outcome = { result: "absent" };
const EXISTS: Outcome = { result: "exists" };
const CONFLICT: Outcome = { result: "conflict" };
const NEVER = Number.POSITIVE_INFINITY;

const history = (asked: Asked[], key = "k"): Operation[] =>
  asked.map(([invoked, responded, action, outcome]) => ({
    key,
    action,
    invoked,
    responded,
    ...(outcome && { outcome }),
  }));

describe("there is an order", () => {
  const cases: Record<string, Asked[]> = {
    "of nothing": [],
    "of one client's life with an object": [
      [1, 2, get, ABSENT],
      [3, 4, create("a"), at(5)],
      [5, 6, create("b"), EXISTS],
      [7, 8, update("c", 5), at(6)],
      [9, 10, update("d", 5), CONFLICT],
      [11, 12, get, at(6, "c")],
      [13, 14, remove(), { result: "ok" }],
      [15, 16, remove(), ABSENT],
      [17, 18, create("e"), at(9)],
    ],
    "where a read sees a write that is not answered yet": [
      [1, 6, create("a"), at(5)],
      [2, 3, get, ABSENT],
      [4, 5, get, at(5, "a")],
    ],
    "where an answered write came after a longer one": [
      [1, 10, create("a"), at(5)],
      [2, 3, update("b"), ABSENT],
      [4, 9, update("c", 5), at(6)],
      [5, 8, get, at(5, "a")],
    ],
    "where a lost write never happened": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, update("b")],
      [4, 5, get, at(5, "a")],
      [6, 7, update("c", 5), at(6)],
    ],
    "where a lost write happened late": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, update("b")],
      [4, 5, get, at(5, "a")],
      [6, 7, get, at(8, "b")],
      [8, 9, update("c", 8), at(9)],
    ],
    "where a lost write is noticed by a conflict alone": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, update("b", 5)],
      [4, 5, update("c", 5), CONFLICT],
    ],
    "where a lost delete makes room": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, remove()],
      [4, 5, create("b"), at(8)],
    ],
    "where the revision of a lost create is told by its successor": [
      [1, NEVER, create("a")],
      [2, 3, update("b", 4), at(5)],
      [4, NEVER, get],
    ],
    "where an update that changed nothing kept its revision": [
      [1, 2, create("a"), at(5)],
      [3, 4, update("a"), at(5)],
      [5, 6, get, at(5, "a")],
    ],
    "where the delete's revision is known": [
      [1, 2, create("a"), at(5)],
      [3, 4, remove(5), at(6)],
      [5, 6, create("b"), at(7)],
    ],
  };
  for (const [name, asked] of Object.entries(cases))
    test(name, () => expect(checkLinearizable(history(asked))).toEqual({ ok: true }));

  test("of two keys that have nothing to do with each other", () => {
    const both = [...history([[1, 4, create("a"), at(5)]]), ...history([[2, 3, create("a"), at(5)]], "other")];
    expect(checkLinearizable(both)).toEqual({ ok: true });
  });
});

describe("there is no order", () => {
  const cases: Record<string, Asked[]> = {
    "where a read is stale": [
      [1, 2, create("a"), at(5)],
      [3, 4, update("b"), at(6)],
      [5, 6, get, at(5, "a")],
    ],
    "where a read does not see an acknowledged create": [
      [1, 2, create("a"), at(5)],
      [3, 4, get, ABSENT],
    ],
    "where of two updates of one version both succeed": [
      [1, 2, create("a"), at(5)],
      [3, 6, update("b", 5), at(6)],
      [4, 5, update("c", 5), at(7)],
    ],
    "where an acknowledged update is lost": [
      [1, 2, create("a"), at(5)],
      [3, 4, update("b", 5), at(6)],
      [5, 6, update("c", 5), at(7)],
    ],
    "where a deleted object comes back": [
      [1, 2, create("a"), at(5)],
      [3, 4, remove(), { result: "ok" }],
      [5, 6, get, at(5, "a")],
    ],
    "where two creates both succeed": [
      [1, 4, create("a"), at(5)],
      [2, 3, create("b"), at(6)],
    ],
    "where two reads see two writes in two orders": [
      [1, 10, update("b"), at(6)],
      [2, 11, update("c"), at(7)],
      [3, 4, get, at(7, "c")],
      [5, 6, get, at(6, "b")],
      [0.1, 0.2, create("a"), at(5)],
    ],
    "where a create is refused for nothing": [[1, 2, create("a"), EXISTS]],
    "where an update conflicts with its own version": [
      [1, 2, create("a"), at(5)],
      [3, 4, update("b", 5), CONFLICT],
    ],
    "where a refused write is seen": [
      [1, 2, create("a"), at(5)],
      [3, 4, create("b"), EXISTS],
      [5, 6, get, at(5, "b")],
    ],
    "where a value is read before it was asked for": [
      [1, 2, get, at(5, "a")],
      [3, 4, create("a"), at(5)],
    ],
    "where a lost write happened before it was asked for": [
      [1, 2, get, at(5, "a")],
      [3, NEVER, create("a")],
    ],
    "where a lost write happened twice": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, update("b")],
      [4, 5, get, at(6, "b")],
      [6, 7, update("c"), at(7)],
      [8, 9, get, at(8, "b")],
    ],
    "where a lost write came and went": [
      [1, 2, create("a"), at(5)],
      [3, NEVER, update("b")],
      [4, 5, get, at(6, "b")],
      [6, 7, get, at(5, "a")],
    ],
    "where one version has two revisions": [
      [1, NEVER, create("a")],
      [2, 3, get, at(5, "a")],
      [4, 5, get, at(6, "a")],
    ],
    "where a revision goes back": [
      [1, 2, create("a"), at(5)],
      [3, 4, update("b"), at(4)],
    ],
    "where an object that was made anew has an old revision": [
      [1, 2, create("a"), at(5)],
      [3, 4, remove(), at(7)],
      [5, 6, create("b"), at(6)],
    ],
  };
  for (const [name, asked] of Object.entries(cases))
    test(name, () => expect(checkLinearizable(history(asked))).toMatchObject({ ok: false, key: "k" }));

  test("and the answer that fits nowhere is named", () => {
    const asked: Asked[] = [
      [1, 2, create("a"), at(5)],
      [3, 4, get, ABSENT],
    ];
    const verdict = checkLinearizable([...history(asked), ...history([[1, 2, create("a"), at(5)]], "fine")]);
    expect(verdict).toEqual({
      ok: false,
      key: "k",
      why: '1 of 2 operations have an order; with "a" at 5 there, no answer fits {"key":"k","action":{"verb":"get"},"invoked":3,"responded":4,"outcome":{"result":"absent"}}',
    });
  });
});

/** Every order that there is, tried. */
function byBruteForce(operations: readonly Operation[], register: Register = EMPTY): boolean {
  if (operations.every(({ outcome }) => !outcome)) return true;
  return operations.some((operation) => {
    const rest = operations.filter((each) => each !== operation);
    if (rest.some(({ outcome, responded }) => outcome && responded < operation.invoked)) return false;
    const after = step(register, operation);
    return after !== undefined && byBruteForce(rest, after);
  });
}

const revisions = fc.integer({ min: 1, max: 4 });
const values = fc.constantFrom("a", "b", "c");
const anyAsked: fc.Arbitrary<[Action, Outcome | undefined]> = fc.oneof(
  fc.tuple(
    fc.constant(get),
    fc.oneof(
      fc.tuple(revisions, values).map(([r, v]) => at(r, v)),
      fc.constant(ABSENT),
    ),
  ),
  fc.tuple(
    values.map(create),
    fc.option(
      fc.oneof(
        revisions.map((r) => at(r)),
        fc.constant(EXISTS),
      ),
      { nil: undefined },
    ),
  ),
  fc.tuple(
    fc.tuple(values, fc.option(revisions, { nil: undefined })).map(([value, from]) => update(value, from)),
    fc.option(
      fc.oneof(
        revisions.map((r) => at(r)),
        fc.constantFrom(CONFLICT, ABSENT),
      ),
      { nil: undefined },
    ),
  ),
  fc.tuple(
    fc.option(revisions, { nil: undefined }).map(remove),
    fc.option(fc.constantFrom<Outcome>({ result: "ok" }, ABSENT, CONFLICT), { nil: undefined }),
  ),
);
/** Histories whose intervals lie in each other as chance will have it. */
const anyHistory = fc.array(fc.tuple(anyAsked, fc.nat(20), fc.nat(20)), { maxLength: 6 }).map((drawn) =>
  drawn.map(([[action, outcome], one, other], index): Operation => {
    // Two moments are never the same.
    const moments = [one * 100 + index * 2, other * 100 + index * 2 + 1].sort((a, b) => a - b);
    return {
      key: "k",
      action,
      invoked: moments[0]!,
      responded: outcome ? moments[1]! : NEVER,
      ...(outcome && { outcome }),
    };
  }),
);

describe("histories that chance has made", () => {
  test("are judged as by trying every order", () => {
    let linearizable = 0;
    fc.assert(
      fc.property(anyHistory, (operations) => {
        const expected = byBruteForce(operations);
        if (expected) linearizable++;
        expect(checkLinearizable(operations).ok).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    // Both sides were met.
    expect(linearizable).toBeGreaterThan(100);
    expect(linearizable).toBeLessThan(2_900);
  });

  test("of clients of a true register, one answer changed, are judged so as well", () => {
    let linearizable = 0;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(999)), (chance) => {
        const draw = (limit: number) => chance.next().value! % limit;
        const operations = ofTrueRegister(draw, { clients: 3, length: 7 });
        const { outcome } = operations[draw(operations.length)]!;
        const other = operations[draw(operations.length)]!;
        if (outcome && other.outcome) other.outcome = outcome;
        const expected = byBruteForce(operations);
        if (expected) linearizable++;
        expect(checkLinearizable(operations).ok).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
    expect(linearizable).toBeGreaterThan(100);
    expect(linearizable).toBeLessThan(900);
  });

  test("of clients of a true register have an order, until one answer is changed", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(999)), (chance) => {
        const draw = (limit: number) => chance.next().value! % limit;
        const operations = ofTrueRegister(draw, { clients: 8, length: 600 });
        expect(checkLinearizable(operations)).toEqual({ ok: true });
        const reads = operations.filter(({ action, outcome }) => action.verb === "get" && outcome?.result === "ok");
        const changed = reads[draw(reads.length)]!;
        changed.outcome = at(1_000_000, "never written");
        expect(checkLinearizable(operations).ok).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

/** What clients see of a register that is one: some of their answers are lost, and the lost writes happen late or never. */
function ofTrueRegister(
  draw: (limit: number) => number,
  { clients, length }: { clients: number; length: number },
): Operation[] {
  let register = EMPTY;
  let time = 0;
  let revision = 0;
  const operations: Operation[] = [];
  const busy: ({ operation: Operation; isDone: boolean } | undefined)[] = Array(clients).fill(undefined);
  const perform = (operation: Operation): void => {
    const { action } = operation;
    const { value } = register;
    const fails = "from" in action && action.from !== undefined && action.from !== register.revision;
    const isThere = value !== undefined;
    if (action.verb === "create" ? isThere : !isThere) operation.outcome = isThere ? EXISTS : ABSENT;
    else if (action.verb === "get") operation.outcome = at(register.revision, value);
    else if (fails) operation.outcome = CONFLICT;
    else {
      revision += 1 + draw(3);
      register = { value: action.verb === "delete" ? undefined : action.value, revision, isExact: true };
      operation.outcome = at(revision);
    }
  };
  while (operations.length < length) {
    const client = draw(clients);
    const there = busy[client];
    time++;
    if (!there) {
      const from = draw(2) === 0 ? register.revision : undefined;
      const value = `v${operations.length}`;
      const action = [get, get, create(value), update(value, from), update(value, from), remove(from)][draw(6)]!;
      const operation: Operation = { key: "k", action, invoked: time, responded: NEVER };
      operations.push(operation);
      busy[client] = { operation, isDone: false };
    } else if (!there.isDone) {
      perform(there.operation);
      there.isDone = true;
      if (draw(60) > 0) continue;
      delete there.operation.outcome; // Nobody was told.
      busy[client] = undefined;
    } else {
      there.operation.responded = time;
      busy[client] = undefined;
    }
  }
  for (const there of busy) if (there) delete there.operation.outcome;
  return operations;
}
