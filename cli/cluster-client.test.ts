import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, FakeControlPlane } from "../test/support/fake-control-plane.ts";
import { callApi } from "./api-client.ts";
import { clusterClient, reached, refusalOf } from "./cluster-client.ts";
import { Failure } from "./failure.ts";
import { homeAt } from "./home.ts";

let fake: FakeControlPlane;
beforeEach(async () => {
  fake = await FakeControlPlane.start();
});
afterEach(async () => await fake.stop());

describe("a cluster's client", () => {
  test("is the kubeconfig's of the default cluster, and another's with a path and a credential of its own", async () => {
    const client = await clusterClient(fake.home);
    expect(await clusterClient(fake.home, "default")).toEqual(client);
    const blue = await clusterClient(fake.home, "blue");
    expect(blue).toMatchObject({ url: `${client.url}/clusters/blue`, caCertificate: client.caCertificate });
    expect(decodeJwt(blue.token)).toMatchObject({ cluster: "blue", sub: "kubernetes-admin" });
    fake.routes["GET /clusters/blue/version"] = answering(200, { major: "1" });
    expect(await callApi(blue, "GET", "/version")).toEqual({ code: 200, body: { major: "1" } });
  });

  test.each(["", "UP", "a.b", "a/b", "../a", "-a", "a".repeat(64)])(
    "is refused for %j, which is no name",
    async (name) => {
      await expect(clusterClient(fake.home, name)).rejects.toThrow(expect.objectContaining({ exitCode: 2 }));
    },
  );

  test("is not there where there never was a cluster", async () => {
    await expect(clusterClient(homeAt("/no/such/home"))).rejects.toThrow("make one with `cox up`");
  });
});

describe("asking", () => {
  test("where nobody listens says how to start; where it breaks off, to look", async () => {
    const client = await clusterClient(fake.home);
    fake.routes["GET /version"] = (request) => void request.socket.destroy();
    await expect(reached(client, callApi(client, "GET", "/version"))).rejects.toThrow("broke off");
    await fake.close();
    await expect(reached(client, callApi(client, "GET", "/version"))).rejects.toThrow(
      "start the cluster with `cox up`",
    );
  });

  test("hands an answer on, and a failure that has its words already", async () => {
    const client = await clusterClient(fake.home);
    expect(await reached(client, Promise.resolve(1))).toBe(1);
    await expect(reached(client, Promise.reject(new Failure("so", 2)))).rejects.toThrow(new Failure("so", 2));
  });

  test("without an answer ends", async () => {
    const client = await clusterClient(fake.home);
    fake.routes["GET /version"] = () => {};
    const asked = callApi(client, "GET", "/version", undefined, { timeoutMilliseconds: 50 });
    await expect(asked).rejects.toThrow("/version: no answer in 50 ms");
    fake.routes["GET /version"] = (_, response) => void response.write("{");
    const begun = callApi(client, "GET", "/version", undefined, { timeoutMilliseconds: 50 });
    await expect(begun).rejects.toThrow("/version: no answer in 50 ms");
  });
});

test.each([
  [{ code: 403, body: { message: "no\nway" } }, "no way"],
  [{ code: 502, body: "bad gateway\n" }, "bad gateway"],
  [{ code: 500, body: {} }, "the API answered with code 500"],
  [{ code: 500, body: "" }, "the API answered with code 500"],
  [{ code: 500, body: null }, "the API answered with code 500"],
])("a refusal is told in a line: %j", (answer, text) => {
  expect(refusalOf(answer)).toBe(text);
});
