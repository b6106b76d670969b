import { describe, expect, test } from "vitest";
import { ConfigMap } from "../../api/kinds/config-map.ts";
import { Secret } from "../../api/kinds/secret.ts";
import type { KubeObject } from "../../api/object.ts";
import { testHome } from "../../test/support/loop-home.ts";
import { ObjectCache } from "./object-cache.ts";

const named = (kind: "ConfigMap" | "Secret", name: string, owner?: string): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: {
    name,
    labels: { half: name < "m" ? "first" : "second" },
    ...(owner && {
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: owner, uid: `uid-${owner}`, controller: true }],
    }),
  },
});

function filled(...objects: KubeObject[]) {
  const home = testHome();
  for (const object of objects) home.create(object, object.kind === "Secret" ? Secret : ConfigMap);
  const cache = new ObjectCache([ConfigMap, Secret]);
  const view = <T>(look: (view: ReturnType<ObjectCache["open"]>) => T): T =>
    home.store.write((tx) => look(cache.open(tx)) as never) as T;
  let told = home.store.revision;
  const tell = () => {
    for (const change of home.store.changes(told)!) cache.apply(change);
    told = home.store.revision;
  };
  return { home, cache, view, tell };
}

const namesOf = (objects: readonly KubeObject[]) => objects.map(({ metadata }) => metadata.name);

describe("a view", () => {
  test("lists by name, by labels and by controlling owner", () => {
    const { view } = filled(named("Secret", "z"), named("Secret", "b", "owner"), named("Secret", "a", "owner"));
    expect(view((v) => namesOf(v.list(Secret)))).toEqual(["a", "b", "z"]);
    expect(view((v) => namesOf(v.list(Secret, { labels: { half: "second" } })))).toEqual(["z"]);
    expect(view((v) => namesOf(v.list(Secret, { ownedBy: { metadata: { uid: "uid-owner" } } })))).toEqual(["a", "b"]);
    expect(view((v) => namesOf(v.list(Secret, { ownedBy: { metadata: {} } })))).toEqual([]);
  });

  test("gives the same parsed object each time, and no one can change it", () => {
    const { view } = filled(named("Secret", "a"));
    const first = view((v) => v.list(Secret)[0]!);
    expect(view((v) => v.get(Secret, "a"))).toBe(first);
    expect(() => {
      (first as KubeObject).metadata.labels!["half"] = "other";
    }).toThrow(TypeError);
  });

  test("follows changes, deletions and new owners that it is told of", () => {
    const { home, view, tell } = filled(named("Secret", "a", "one"), named("Secret", "b"));
    view((v) => v.list(Secret));
    home.remove(Secret, "b");
    home.create(named("Secret", "aa"), Secret);
    home.change(
      Secret,
      "a",
      (object) => (object.metadata.ownerReferences = named("Secret", "x", "two").metadata.ownerReferences!),
    );
    tell();
    expect(view((v) => namesOf(v.list(Secret)))).toEqual(["a", "aa"]);
    expect(view((v) => namesOf(v.list(Secret, { ownedBy: { metadata: { uid: "uid-one" } } })))).toEqual([]);
    expect(view((v) => namesOf(v.list(Secret, { ownedBy: { metadata: { uid: "uid-two" } } })))).toEqual(["a"]);
  });

  test("does not take a change twice that was in what it read", () => {
    const { home, view, tell } = filled(named("Secret", "a"));
    home.change(Secret, "a", (object) => (object["data"] = { x: "1" }));
    home.remove(Secret, "a");
    home.create({ ...named("Secret", "a"), data: { x: "2" } }, Secret);
    view((v) => v.list(Secret));
    tell();
    expect(view((v) => v.get(Secret, "a"))).toMatchObject({ data: { x: "2" } });
  });

  test("knows dependents of every kind, and owners, absent and unknown ones", () => {
    const { home, view, tell } = filled(
      named("ConfigMap", "owner"),
      named("Secret", "a", "owner"),
      named("ConfigMap", "b", "owner"),
    );
    const dependents = () =>
      view((v) => v.dependents("uid-owner").map(({ kind, object }) => `${kind.kind}/${object.metadata.name}`));
    expect(dependents()).toEqual(["ConfigMap/b", "Secret/a"]);
    home.remove(Secret, "a");
    tell();
    expect(dependents()).toEqual(["ConfigMap/b"]);
    const reference = {
      apiVersion: "v1",
      kind: "ConfigMap",
      name: "owner",
      uid: home.get(ConfigMap, "owner")!.metadata.uid!,
    };
    expect(view((v) => v.owner(reference))).toMatchObject({ object: { metadata: { name: "owner" } } });
    expect(view((v) => v.owner({ ...reference, uid: "other" }))).toBe("absent");
    expect(view((v) => v.owner({ ...reference, kind: "Node" }))).toBe("unknown");
    expect(view((v) => v.owner({ ...reference, apiVersion: "example.com/v1" }))).toBe("unknown");
  });

  test("names the kinds that there are objects of", () => {
    const { view } = filled(named("Secret", "a"));
    expect(view((v) => v.kinds().map(({ kind }) => kind))).toEqual(["Secret"]);
  });
});

describe("what is kept", () => {
  test("is forgotten where it was read from a state that was undone", () => {
    const { home, cache } = filled(named("Secret", "a"));
    home.store.write((tx) => {
      const view = cache.open(tx);
      expect(() =>
        tx.attempt(() => {
          home.applyWrite(
            tx,
            { op: "create", kind: Secret, object: named("Secret", "b") },
            { name: "test", groups: [] },
          );
          expect(namesOf(view.list(Secret))).toEqual(["a", "b"]);
          throw new Error("undone");
        }),
      ).toThrow("undone");
      cache.undo();
      expect(namesOf(cache.open(tx).list(Secret))).toEqual(["a"]);
    });
  });

  test("is bounded: the resource unused longest goes", () => {
    const { cache, view } = filled(named("Secret", "a"), named("ConfigMap", "c"));
    const secret = view((v) => v.list(Secret)[0]);
    const map = view((v) => v.list(ConfigMap)[0]);
    cache.trim(JSON.stringify(map).length);
    expect(view((v) => v.list(ConfigMap)[0])).toBe(map);
    expect(view((v) => v.list(Secret)[0])).toEqual(secret);
    cache.trim(0);
    expect(view((v) => v.list(ConfigMap)[0])).toEqual(map);
  });
});
