import { describe, expect, test } from "vitest";
import { testHome, watchEvents } from "../../test/support/home.ts";
import type { RequestOptions } from "../protocol.ts";

// What upstream documents in "Kubernetes API Concepts" (semantics for get, list and watch), KEP-3157 and KEP-2340, and what
// its source does where that is silent (apimachinery internalversion/validation, apiserver storage/interfaces.go and cacher.go).

const configMap = (name: string, value: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { value },
});

/** a made, b made, a changed, b deleted, c made: a home with a past. `at` has the revision after each. */
async function homeWithPast() {
  const made = testHome();
  const { ask, home } = made;
  const at: number[] = [0];
  const step = async (...args: Parameters<typeof ask>) => {
    expect((await ask(...args)).code).toBeLessThan(300);
    at.push(home.store.revision);
  };
  await step("create", "configmaps", { object: configMap("a", "1") });
  await step("create", "configmaps", { object: configMap("b", "2") });
  await step("update", "configmaps/a", { object: configMap("a", "3") });
  await step("delete", "configmaps/b");
  await step("create", "configmaps", { object: configMap("c", "5") });
  return { ...made, at };
}

type Home = Awaited<ReturnType<typeof homeWithPast>>;
/** Options whose resourceVersion is the number of a step above. */
type Asked = Omit<RequestOptions, "resourceVersion" | "at"> & { rv?: number | string; at?: number };
const FAR = "9007199254740991";

function optionsOf({ at }: Home, { rv, at: past, ...rest }: Asked): RequestOptions {
  return {
    ...rest,
    ...(rv !== undefined && { resourceVersion: typeof rv === "number" ? String(at[rv]) : rv }),
    ...(past !== undefined && { at: at[past]! }),
  };
}

const shown = ({ metadata, data }: any): string => `${metadata.name}${data.value}`;

describe("list", () => {
  const tokenAt = (home: Home, step: number) =>
    home.ask("list", "configmaps", {
      options: { resourceVersion: String(home.at[step]), resourceVersionMatch: "Exact", limit: 1 },
    });

  test.each<[string, Asked, string[], number, number?]>([
    ["unset is the most recent", {}, ["a3", "c5"], 5],
    ["0 is any, here the most recent", { rv: "0" }, ["a3", "c5"], 5],
    ["a number is not older than", { rv: 2 }, ["a3", "c5"], 5],
    ["NotOlderThan says the same", { rv: 2, resourceVersionMatch: "NotOlderThan" }, ["a3", "c5"], 5],
    ["0 may be NotOlderThan", { rv: "0", resourceVersionMatch: "NotOlderThan" }, ["a3", "c5"], 5],
    ["Exact is what was", { rv: 2, resourceVersionMatch: "Exact" }, ["a1", "b2"], 2],
    ["Exact of the newest", { rv: 5, resourceVersionMatch: "Exact" }, ["a3", "c5"], 5],
    ["Exact before the first", { rv: "1", resourceVersionMatch: "Exact" }, [], 0],
    ["a limit alone pages the most recent", { limit: 1 }, ["a3"], 5, 1],
    ["a limit with 0 pages the most recent", { limit: 1, rv: "0" }, ["a3"], 5, 1],
    ["a limit with a number is exact, as ever", { limit: 1, rv: 2 }, ["a1"], 2, 1],
    ["a limit, NotOlderThan", { limit: 1, rv: 2, resourceVersionMatch: "NotOlderThan" }, ["a3"], 5, 1],
    ["a limit, Exact", { limit: 1, rv: 3, resourceVersionMatch: "Exact" }, ["a3"], 3, 1],
    ["a limit that fits all has no continuation", { limit: 2 }, ["a3", "c5"], 5],
    ["the past is listed at its revision", { at: 3 }, ["a3", "b2"], 3],
    ["the past, 0", { at: 3, rv: "0" }, ["a3", "b2"], 3],
    ["the past, not older than something before it", { at: 3, rv: 1 }, ["a3", "b2"], 3],
    ["the past, Exact before it", { at: 3, rv: 1, resourceVersionMatch: "Exact" }, ["a1"], 1],
    ["the past, paged", { at: 3, limit: 1 }, ["a3"], 3, 1],
  ])("%s", async (_, asked, items, step, remaining) => {
    const home = await homeWithPast();
    const { code, body } = await home.ask("list", "configmaps", { options: optionsOf(home, asked) });
    expect([code, body.items?.map(shown)]).toEqual([200, items]);
    expect(body.metadata.resourceVersion).toBe(String(home.at[step] || 1));
    expect([body.metadata.remainingItemCount, typeof body.metadata.continue]).toEqual(
      remaining ? [remaining, "string"] : [undefined, "undefined"],
    );
  });

  test("continues at the revision of its token, also with resourceVersion 0, also in the past", async () => {
    const home = await homeWithPast();
    const token = (await tokenAt(home, 2)).body.metadata.continue;
    for (const more of [{}, { rv: "0" }, { at: 3 }]) {
      const options = optionsOf(home, { limit: 1, continue: token, ...more });
      const { body } = await home.ask("list", "configmaps", { options });
      expect([body.items.map(shown), body.metadata.resourceVersion]).toEqual([["b2"], String(home.at[2])]);
    }
  });

  const invalidOptions = (...causes: string[]): [number, string, string] => [
    422,
    "Invalid",
    `ListOptions.meta.k8s.io "" is invalid: ${causes.length > 1 ? `[${causes.join(", ")}]` : causes[0]}`,
  ];
  const UNSET = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
  const CONTINUED = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";

  test.each<[string, Asked, [number, string, string]]>([
    ["a match without a revision", { resourceVersionMatch: "Exact" }, invalidOptions(UNSET)],
    [
      "a match that there is not",
      { rv: 2, resourceVersionMatch: "Latest" },
      invalidOptions(
        'resourceVersionMatch: Unsupported value: "Latest": supported values: "Exact", "NotOlderThan", ""',
      ),
    ],
    [
      "exactly any",
      { rv: "0", resourceVersionMatch: "Exact" },
      invalidOptions(
        'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ),
    ],
    [
      "everything that is wrong at once",
      { resourceVersionMatch: "Exact", continue: "x", sendInitialEvents: true },
      invalidOptions(UNSET, CONTINUED, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    ],
    [
      "a revision with a token",
      { rv: 2, continue: "x" },
      [400, "BadRequest", "specifying resource version is not allowed when using continue"],
    ],
    [
      "a token of no revision",
      { continue: btoa('{"v":"meta.k8s.io/v1","rv":0,"start":"a\\u0000"}').replace(/=+$/, "") },
      [
        400,
        "BadRequest",
        "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
      ],
    ],
    [
      "a token of another make",
      { continue: btoa('{"v":"v2","rv":4,"start":"a\\u0000"}').replace(/=+$/, "") },
      [
        400,
        "BadRequest",
        "invalid continue token: continue key is not valid: server does not recognize this encoded version v2",
      ],
    ],
  ])("refuses %s", async (_, asked, [code, reason, message]) => {
    const home = await homeWithPast();
    const { body } = await home.ask("list", "configmaps", { options: optionsOf(home, asked) });
    expect([body.code, body.reason, body.message]).toEqual([code, reason, message]);
  });

  test.each<[string, Asked]>([
    ["a revision that nobody can have handed out", { rv: FAR }],
    ["exactly such a revision", { rv: FAR, resourceVersionMatch: "Exact" }],
    ["a token of such a revision", { continue: btoa(`{"v":"meta.k8s.io/v1","rv":${FAR},"start":"a\\u0000"}`) }],
    ["what the past does not know yet", { at: 3, rv: 4 }],
  ])("does not wait for %s", async (_, asked) => {
    const home = await homeWithPast();
    const before = home.home.scope.highest();
    const { body } = await home.ask("list", "configmaps", { options: optionsOf(home, asked) });
    expect(body).toMatchObject({
      code: 504,
      reason: "Timeout",
      message: expect.stringMatching(/^Too large resource version: \d+, current: \d+$/),
      details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
    });
    expect(home.home.scope.highest()).toBe(before); // What is refused moves no clock.
  });

  test.each(["NotOlderThan", "Exact"])(
    "%s a revision of a home whose clock is ahead: what comes later is later",
    async (match) => {
      const home = await homeWithPast();
      const ahead = home.at[5]! + 1_000_000;
      const options = { resourceVersion: String(ahead), resourceVersionMatch: match };
      const { body } = await home.ask("list", "configmaps", { options });
      expect([body.items.map(shown), body.metadata.resourceVersion]).toEqual([["a3", "c5"], String(ahead)]);
      await home.ask("create", "configmaps", { object: configMap("d", "6") });
      expect(home.home.store.revision).toBeGreaterThan(ahead);
    },
  );

  test("before what is kept says that it is expired; a token may go on without its revision", async () => {
    const home = await homeWithPast();
    const token = (await tokenAt(home, 2)).body.metadata.continue;
    forgetAll(home);
    const exact = await home.ask("list", "configmaps", {
      options: optionsOf(home, { rv: 2, resourceVersionMatch: "Exact" }),
    });
    expect(exact.body).toMatchObject({
      code: 410,
      reason: "Expired",
      message: "The resourceVersion for the provided list is too old.",
    });
    expect((await home.ask("list", "configmaps", { options: { at: home.at[2]! } })).body.code).toBe(410);
    expect((await home.ask("get", "configmaps/a", { options: { at: home.at[2]! } })).body.code).toBe(410);
    const { body } = await home.ask("list", "configmaps", { options: { limit: 1, continue: token } });
    expect([body.code, body.reason]).toEqual([410, "Expired"]);
    expect(body.message).toMatch(/^The provided continue parameter is too old to display a consistent list result\./);
    const rest = await home.ask("list", "configmaps", { options: { limit: 5, continue: body.metadata.continue } });
    expect([rest.code, rest.body.items.map(shown)]).toEqual([200, ["c5", "f"]]);
  });
});

/** So many changes, and so much later, that history begins anew. */
function forgetAll({ home, platform }: Home): void {
  const change = () =>
    home.store.write((tx) =>
      tx.put(
        "configmaps",
        "f",
        (revision) => `{"metadata":{"name":"f","resourceVersion":"${revision}"},"data":{"value":""}}`,
      ),
    );
  for (let i = 0; i < 1_100; i++) change();
  platform.time += 2 * 3_600_000;
  change();
}

describe("get", () => {
  test.each<[string, Asked, number | string]>([
    ["unset is the most recent", {}, "a3"],
    ["0 is any", { rv: "0" }, "a3"],
    ["a number is not older than", { rv: 1 }, "a3"],
    ["what nobody handed out is not waited for", { rv: FAR }, 504],
    ["what is no number is refused", { rv: "-1" }, 400],
    ["the past is what was", { at: 2 }, "a1"],
    ["the past, not older than what it knows", { at: 2, rv: 1 }, "a1"],
    ["the past does not know what came later", { at: 2, rv: 3 }, 504],
    ["before it was there it was not found", { at: 0 }, 404],
  ])("%s", async (_, asked, expected) => {
    const home = await homeWithPast();
    const options = { ...optionsOf(home, asked), ...(asked.at === 0 && { at: 1 }) };
    const { code, body } = await home.ask("get", "configmaps/a", { options });
    expect(code === 200 ? shown(body) : code).toBe(expected);
  });
});

describe("watch", () => {
  const INITIAL = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" };
  const NO_INITIAL = { sendInitialEvents: false, resourceVersionMatch: "NotOlderThan" };

  /** What is told of the past, and of one change that follows. */
  async function told(asked: Asked): Promise<string[]> {
    const home = await homeWithPast();
    const answer = home.watch("configmaps", { timeoutSeconds: 600, ...optionsOf(home, asked) });
    if (!("events" in answer)) return [`${answer.code} ${JSON.parse(answer.body as string).message}`];
    const events = watchEvents(answer);
    const all = events.rest();
    await home.settle();
    await home.ask("create", "configmaps", { object: configMap("d", "6") });
    await home.settle(600_000);
    return (await all).map(({ type, object }) => {
      if (type === "ERROR") return `ERROR ${object.code} ${object.reason}`;
      if (type !== "BOOKMARK") return `${type} ${shown(object)}`;
      const { resourceVersion, annotations } = object.metadata;
      const step = home.at.indexOf(Number(resourceVersion));
      return `BOOKMARK ${step < 0 ? "later" : step}${annotations?.["k8s.io/initial-events-end"] ? " end" : ""}`;
    });
  }

  test.each<[string, Asked, string[]]>([
    ["unset tells the state, then what follows", {}, ["ADDED a3", "ADDED c5", "ADDED d6"]],
    ["0 tells a state, then what follows", { rv: "0" }, ["ADDED a3", "ADDED c5", "ADDED d6"]],
    ["a number tells what came after it", { rv: 2 }, ["MODIFIED a3", "DELETED b2", "ADDED c5", "ADDED d6"]],
    ["the newest tells what follows", { rv: 5 }, ["ADDED d6"]],
    [
      "initial events end with a bookmark",
      { ...INITIAL, allowWatchBookmarks: true },
      ["ADDED a3", "ADDED c5", "BOOKMARK 5 end", "ADDED d6"],
    ],
    [
      "initial events not older than a number are the newest",
      { ...INITIAL, allowWatchBookmarks: true, rv: 2 },
      ["ADDED a3", "ADDED c5", "BOOKMARK 5 end", "ADDED d6"],
    ],
    [
      "initial events, 0",
      { ...INITIAL, allowWatchBookmarks: true, rv: "0" },
      ["ADDED a3", "ADDED c5", "BOOKMARK 5 end", "ADDED d6"],
    ],
    ["who takes no bookmarks gets none", INITIAL, ["ADDED a3", "ADDED c5", "ADDED d6"]],
    ["no initial events, unset: from now", NO_INITIAL, ["ADDED d6"]],
    ["no initial events, 0: from now", { ...NO_INITIAL, rv: "0" }, ["ADDED d6"]],
    ["no initial events, a number: from it", { ...NO_INITIAL, rv: 4 }, ["ADDED c5", "ADDED d6"]],
    ["initial events of what nobody handed out are an error's", { ...INITIAL, rv: FAR }, ["ERROR 504 Timeout"]],
    ["the past tells its state and is silent", { at: 3 }, ["ADDED a3", "ADDED b2"]],
    ["the past from a number tells what there was after it", { at: 3, rv: 1 }, ["ADDED b2", "MODIFIED a3"]],
    ["the past from itself is silent", { at: 3, rv: 3 }, []],
    [
      "the past, initial events",
      { ...INITIAL, allowWatchBookmarks: true, at: 3 },
      ["ADDED a3", "ADDED b2", "BOOKMARK 3 end"],
    ],
  ])("%s", async (_, asked, expected) => {
    const events = await told(asked);
    expect(events.filter((event) => !/^BOOKMARK \w+$/.test(event))).toEqual(expected);
    const bookmarks = events.filter((event) => /^BOOKMARK \w+$/.test(event));
    if (!asked.allowWatchBookmarks) expect(bookmarks).toEqual([]);
    else expect(new Set(bookmarks)).toEqual(new Set([asked.at === undefined ? "BOOKMARK later" : "BOOKMARK 3"]));
  });

  test.each<[string, Asked, string]>([
    [
      "initial events without a match",
      { sendInitialEvents: true },
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    [
      "initial events, exactly",
      { sendInitialEvents: false, resourceVersionMatch: "Exact" },
      '[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    [
      "a match without initial events",
      { rv: 2, resourceVersionMatch: "NotOlderThan" },
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    ],
    [
      "a token",
      { ...INITIAL, continue: "x" },
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
    ],
  ])("refuses %s", async (_, asked, message) => {
    expect(await told(asked)).toEqual([`422 ListOptions.meta.k8s.io "" is invalid: ${message}`]);
  });

  test("from a number of a home whose clock is ahead tells nothing that is not newer", async () => {
    const home = await homeWithPast();
    const ahead = home.at[5]! + 3 * 1024;
    const answer = home.watch("configmaps", { resourceVersion: String(ahead), timeoutSeconds: 60 });
    const all = watchEvents(answer).rest();
    await home.settle();
    const revisions: number[] = [];
    for (let i = 0; i < 6; i++) {
      home.home.store.write((tx) =>
        revisions.push(
          tx.put("configmaps", "e", (at) => `{"metadata":{"name":"e","resourceVersion":"${at}"}}`).revision,
        ),
      );
    }
    await home.settle(60_000);
    const newer = revisions.filter((revision) => revision > ahead);
    expect(newer.length).toBeLessThan(revisions.length);
    expect((await all).map(({ object }) => Number(object.metadata.resourceVersion))).toEqual(newer);
  });

  test("from what is no longer kept is told so by an event, as upstream does once the options are understood", async () => {
    const home = await homeWithPast();
    forgetAll(home);
    for (const options of [{ resourceVersion: String(home.at[2]) }, { at: home.at[2]! }]) {
      const events = await watchEvents(home.watch("configmaps", options)).rest();
      expect(events.map(({ type, object }) => [type, object.code, object.reason])).toEqual([["ERROR", 410, "Expired"]]);
    }
  });
});
