import { sameJson } from "../../api/equality.ts";
import type { KindRef } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { alreadyExists, notFound, resourceName } from "../../api/status.ts";
import type { AnyController } from "../../durable-objects/controllers/controller.ts";
import { ControllerLoop } from "../../durable-objects/loop/controller-loop.ts";
import type { LoopHome, ObjectWrite } from "../../durable-objects/loop/loop-home.ts";
import type { SqlDatabase } from "../../durable-objects/store/sql.ts";
import { Store } from "../../durable-objects/store/store.ts";
import type { WriteTransaction } from "../../durable-objects/store/transaction.ts";
import { nodeSql } from "./node-sql.ts";

/** A home with a real store and the least of the API's rules (no defaults, no validation): for tests of loops. */
export interface TestHome extends LoopHome {
  now: number;
  isTerminating: boolean;
  /** Throws to refuse a write. */
  admit: (write: ObjectWrite) => void;
  create(object: KubeObject, kind: KindRef): void;
  change(kind: KindRef, name: string, change: (object: KubeObject) => void): void;
  delete(kind: KindRef, name: string): void;
  remove(kind: KindRef, name: string): void;
  get<T extends KubeObject>(kind: KindRef<T>, name: string): T | undefined;
  list<T extends KubeObject>(kind: KindRef<T>): T[];
  loop(controllers: readonly AnyController[], kinds: readonly KindRef[], random?: () => number): ControllerLoop;
}

export function testHome(database: SqlDatabase = nodeSql()): TestHome {
  let uids = 0;
  const store = new Store({
    database,
    clock: { now: () => home.now, nextRevision: (last) => last + 1, timeOf: () => home.now },
    defer: (work) => work(),
  });
  const timestamp = (): string => `${new Date(home.now).toISOString().slice(0, 19)}Z`;
  const put = (tx: WriteTransaction, kind: KindRef, object: KubeObject): void => {
    const { name } = object.metadata;
    tx.put(resourceName(kind), name, (revision) =>
      JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }),
    );
  };
  const read = (tx: WriteTransaction, kind: KindRef, name: string): KubeObject => {
    const stored = tx.get(resourceName(kind), name);
    if (!stored) throw notFound(kind, name);
    return JSON.parse(stored.json) as KubeObject;
  };
  const remove = (tx: WriteTransaction, kind: KindRef, name: string): void => {
    const last = read(tx, kind, name);
    tx.remove(resourceName(kind), name, () => JSON.stringify(last));
  };
  const home: TestHome = {
    store,
    now: Date.UTC(2026, 5, 1, 12),
    isTerminating: false,
    admit: () => undefined,
    terminating: () => home.isTerminating,
    applyWrite(tx, write) {
      home.admit(write);
      const { kind } = write;
      if (write.op === "create") {
        const { name } = write.object.metadata;
        if (tx.get(resourceName(kind), name)) throw alreadyExists(kind, name);
        const metadata = {
          ...write.object.metadata,
          uid: `uid-${++uids}-${store.revision}`,
          creationTimestamp: timestamp(),
          generation: 1,
        };
        put(tx, kind, { ...write.object, metadata });
        return;
      }
      if (write.op === "delete") {
        const object = read(tx, kind, write.name);
        if (write.uid && object.metadata.uid !== write.uid) throw notFound(kind, write.name);
        if (write.propagation === "Foreground")
          object.metadata.finalizers = [...(object.metadata.finalizers ?? []), "foregroundDeletion"];
        if (write.propagation === "Orphan")
          object.metadata.finalizers = [...(object.metadata.finalizers ?? []), "orphan"];
        const isRunningPod = kind.kind === "Pod" && object["spec"]?.nodeName && write.graceSeconds !== 0;
        if (!isRunningPod && !object.metadata.finalizers?.length) remove(tx, kind, write.name);
        else if (!object.metadata.deletionTimestamp) {
          object.metadata.deletionTimestamp = timestamp();
          put(tx, kind, object);
        }
        return;
      }
      const { name } = write.object.metadata;
      const previous = read(tx, kind, name);
      const next = structuredClone(write.object) as KubeObject;
      if (write.op === "updateStatus") {
        next["spec"] = previous["spec"];
        next.metadata = { ...previous.metadata, annotations: next.metadata.annotations ?? {} };
      } else {
        next["status"] = previous["status"];
        if (!sameJson(next["spec"], previous["spec"]))
          next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
      }
      put(tx, kind, next);
      if (next.metadata.deletionTimestamp && !next.metadata.finalizers?.length && kind.kind !== "Pod")
        remove(tx, kind, name);
    },
    create: (object, kind) =>
      store.write((tx) => home.applyWrite(tx, { op: "create", kind, object }, { name: "test", groups: [] })),
    change: (kind, name, change) =>
      store.write((tx) => {
        const object = read(tx, kind, name);
        const spec = structuredClone(object["spec"]);
        change(object);
        if (!sameJson(spec, object["spec"])) object.metadata.generation = (object.metadata.generation ?? 0) + 1;
        put(tx, kind, object);
      }),
    delete: (kind, name) =>
      store.write((tx) => home.applyWrite(tx, { op: "delete", kind, name }, { name: "test", groups: [] })),
    remove: (kind, name) => store.write((tx) => remove(tx, kind, name)),
    get: (kind, name) => store.read((tx) => tx.get(resourceName(kind), name)?.object as any),
    list: (kind) => store.read((tx) => tx.list(resourceName(kind)).map(({ object }) => object)) as any,
    loop: (controllers, kinds, random = () => 0.5) =>
      new ControllerLoop({ home, controllers, kinds, namespace: "default", clock: () => 0, random }),
  };
  return home;
}
