import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../test/support/cox.ts";
import { answering, FakeControlPlane, type FakeRoute } from "../../test/support/fake-control-plane.ts";
import { smallSnapshot } from "../../test/support/small-snapshot.ts";
import { run } from "../processes.ts";
import { printSize } from "../snapshot/describe-snapshot.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");
const SAVE = "GET /coxswain/v1/snapshot";
const RESTORE = "POST /clusters/blue/coxswain/v1/restore";
const MADE = { cluster: "blue", revision: 100, homes: 2, objects: 3 };
const GOOD = smallSnapshot();

let fake: FakeControlPlane;
let file: string;
beforeEach(async () => {
  fake = await FakeControlPlane.start();
  file = join(fake.home.root, "cluster.snapshot");
});
afterEach(async () => await fake.stop());

const cox = (...args: string[]) => run(process.execPath, [MAIN, ...args, "--state", fake.home.root]);
/** A control plane where a cluster can be made: it refuses what is no snapshot. */
const making =
  (make: (lines: string, request: IncomingMessage) => void): FakeRoute =>
  async (request, response) => {
    const lines = await text(request);
    if (lines.trim() === "") return answering(400, { kind: "Status", message: "not a snapshot" })(request, response);
    make(lines, request);
    return answering(201, MADE)(request, response);
  };
const left = () => readdirSync(fake.home.root).filter((name) => name.startsWith("cluster.snapshot"));

describe("cox snapshot save", () => {
  test("writes what arrives, and says what it was", async () => {
    fake.routes[SAVE] = (_, response) => void response.end(GOOD.text);
    const { code, stdout, stderr } = await cox("snapshot", "save", file);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      `saved cluster default to ${file}: revision 100 of 2026-01-31T12:00:00.000Z, 2 homes, 3 objects, ${printSize(statSync(file).size)}\n`,
    );
    expect(gunzipSync(readFileSync(file)).toString()).toBe(GOOD.text);
    expect(await cox("snapshot", "save", file)).toMatchObject({ code: 2, stderr: expect.stringContaining("--force") });
    expect((await cox("snapshot", "save", file, "--force")).code).toBe(0);
    expect(fake.asked).toEqual([SAVE, SAVE]);
  });

  test("asks another cluster, and for another time, if told to", async () => {
    await cox("snapshot", "save", file, "--cluster", "blue", "--at", "2026-01-31T12:00:00+01:00");
    expect(fake.asked).toEqual(["GET /clusters/blue/coxswain/v1/snapshot?at=2026-01-31T11%3A00%3A00.000Z"]);
  });

  test("leaves nothing of one that ends early, though the answer was good", async () => {
    fake.routes[SAVE] = (_, response) => void response.end(GOOD.header + GOOD.clusterHome);
    const { code, stderr } = await cox("snapshot", "save", file);
    expect([code, stderr]).toEqual([
      1,
      'cox: what arrived is no whole snapshot: the snapshot is truncated: it ends before the home of namespace "default"\n',
    ]);
    expect(left()).toEqual([]);
  });

  test("leaves nothing of one that breaks off", async () => {
    fake.routes[SAVE] = (_, response) => {
      response.write(GOOD.header, () => response.destroy());
    };
    const { code, stderr } = await cox("snapshot", "save", file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^cox: the control plane at .* broke off .*\n$/)]);
    expect(left()).toEqual([]);
  });

  test("says in a line why the API refuses", async () => {
    fake.routes[SAVE] = answering(410, { kind: "Status", message: "too old\nresource version" });
    expect(await cox("snapshot", "save", file)).toMatchObject({ code: 1, stderr: "cox: too old resource version\n" });
    expect(left()).toEqual([]);
  });

  test("leaves nothing when it is interrupted", async () => {
    fake.routes[SAVE] = (_, response) => void response.write(GOOD.header);
    const child = spawn(process.execPath, [MAIN, "snapshot", "save", file, "--state", fake.home.root]);
    const said = text(child.stderr);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await eventually("a part of the file", () => expect(left()).toEqual(["cluster.snapshot.part"]));
    child.kill("SIGINT");
    expect([await ended, await said]).toEqual([1, "cox: interrupted\n"]);
    expect(left()).toEqual([]);
  });
});

describe("cox snapshot status", () => {
  test("tells what is in a file, as text and as JSON", async () => {
    writeFileSync(file, gzipSync(GOOD.text));
    const size = statSync(file).size;
    const { code, stdout } = await cox("snapshot", "status", file);
    expect([code, stdout.split("\n")]).toEqual([
      0,
      [
        `file       ${file}`,
        "cluster    default",
        "revision   100",
        "time       2026-01-31T12:00:00.000Z",
        "homes      2",
        "objects    3",
        `size       ${printSize(size)} (${printSize(Buffer.byteLength(GOOD.text))} unpacked)`,
        "",
        "RESOURCE     OBJECTS",
        "namespaces   1",
        "pods         2",
        "",
      ],
    ]);
    expect(JSON.parse((await cox("snapshot", "status", file, "--json")).stdout)).toEqual({
      file,
      cluster: "default",
      revision: 100,
      time: "2026-01-31T12:00:00.000Z",
      homes: 2,
      objects: 3,
      bytes: Buffer.byteLength(GOOD.text),
      fileBytes: size,
      resources: { namespaces: 1, pods: 2 },
    });
  });

  test("of a damaged file says what is wrong, with exit code 1", async () => {
    writeFileSync(file, gzipSync(GOOD.text.slice(0, -10)));
    const { code, stdout, stderr } = await cox("snapshot", "status", file, "--json");
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(/^cox: .* the snapshot is truncated.*\n$/)]);
  });
});

describe("cox snapshot restore", () => {
  test("sends the lines to the new cluster, as its admin", async () => {
    let sent = "";
    let token = "";
    fake.routes[RESTORE] = making((lines, { headers }) => {
      token = headers.authorization!.replace("Bearer ", "");
      sent = `${headers["content-type"]} ${lines}`;
    });
    writeFileSync(file, gzipSync(GOOD.text));
    const { code, stdout } = await cox("snapshot", "restore", file, "--as", "blue");
    expect([code, stdout]).toEqual([
      0,
      "restored cluster blue: revision 100, 2 homes, 3 objects\nuse it with `cox kubeconfig --cluster blue`\n",
    ]);
    expect(sent).toBe(`application/x-ndjson ${GOOD.text}`);
    expect(decodeJwt(token)).toMatchObject({ cluster: "blue", groups: ["system:masters"] });
  });

  test("without a name restores the cluster that was saved", async () => {
    writeFileSync(file, gzipSync(smallSnapshot({ cluster: "green" }).text));
    const path = "POST /clusters/green/coxswain/v1/restore";
    let sent = "";
    fake.routes[path] = making((lines) => {
      sent = lines;
    });
    expect((await cox("snapshot", "restore", file)).code).toBe(0);
    expect([fake.asked, sent]).toEqual([[path, path], smallSnapshot({ cluster: "green" }).text]);
  });

  test.each([
    ["damaged", gzipSync(GOOD.header + GOOD.clusterHome), "truncated"],
    ["foreign", Buffer.from("hello"), "not a Coxswain snapshot"],
  ])("sends nothing of a %s file", async (_, content, why) => {
    writeFileSync(file, content);
    expect(await cox("snapshot", "restore", file)).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
    expect(fake.asked).toEqual([]);
  });

  test("sends nothing where the name is taken, and suggests another", async () => {
    let heard = "";
    fake.routes[RESTORE] = async (request, response) => {
      heard += await text(request);
      await answering(409, { kind: "Status", message: "exists" })(request, response);
    };
    writeFileSync(file, gzipSync(GOOD.text));
    expect(await cox("snapshot", "restore", file, "--as", "blue")).toEqual({
      code: 1,
      stdout: "",
      stderr: "cox: there is a cluster blue already: choose another name with --as NAME\n",
    });
    expect(heard.trim()).toBe("");
  });

  test("says in a line why the control plane refuses", async () => {
    fake.routes[RESTORE] = answering(403, { kind: "Status", message: "not an admin" });
    writeFileSync(file, gzipSync(GOOD.text));
    const { code, stderr } = await cox("snapshot", "restore", file, "--as", "blue");
    expect([code, stderr]).toEqual([1, "cox: not an admin\n"]);
  });
});

describe("cox fork", () => {
  test("gives the new cluster a credential for the other one, and the time", async () => {
    let asked: any;
    fake.routes["POST /clusters/blue/coxswain/v1/fork"] = async (request, response) => {
      asked = JSON.parse(await text(request));
      await answering(201, MADE)(request, response);
    };
    const time = "2026-01-31T12:00:00Z";
    const { code, stdout } = await cox("fork", "--as", "blue", "--cluster", "green", "--at", time);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^made cluster blue: .*\n.*`cox kubeconfig --cluster blue`\n$/),
    ]);
    expect(asked).toEqual({ from: "green", token: expect.any(String), at: "2026-01-31T12:00:00.000Z" });
    expect(decodeJwt(asked.token)).toMatchObject({ cluster: "green", groups: ["system:masters"] });
  });
});

describe("where no control plane runs", () => {
  test.each([
    ["snapshot save", () => ["snapshot", "save", file]],
    ["snapshot restore", () => ["snapshot", "restore", file, "--as", "blue"]],
    ["fork", () => ["fork", "--as", "blue"]],
    ["history", () => ["history", "pod/web"]],
    ["undo", () => ["undo", "pod/web"]],
  ])("cox %s says how to start one", async (name, args) => {
    await fake.close();
    if (name === "snapshot restore") writeFileSync(file, gzipSync(GOOD.text));
    const { code, stdout, stderr } = await cox(...args());
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(/^cox: nothing answers at .*`cox up`\n$/)]);
    expect(existsSync(`${file}.part`)).toBe(false);
    rmSync(fake.home.signingKey);
    expect(await cox(...args())).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^cox: there is no cluster in .*`cox up`\n$/),
    });
  });
});
