import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { makeAuthority, makeServerCertificate } from "../../cli/control-plane/certificates.ts";
import { Cox, eventually } from "../support/cox.ts";
import { ask, type HttpAnswer } from "../support/http.ts";
import { loadShellImage, Pods, STAYS, shell } from "../support/pods.ts";

// Connections to what listens in pods: port-forward and the proxy subresources. Real kubectl, real containers.

let cox: Cox;
let pods: Pods;
const forwards: ChildProcess[] = [];

/** Serves /www over HTTP. */
const httpd = (port: number, more = "") =>
  shell(
    "web",
    `mkdir -p /www/deep; echo hello > /www/index.html; echo below > /www/deep/file; head -c 3000000 /dev/zero | tr '\\0' x > /www/large; ${more} httpd -p ${port} -h /www; ${STAYS}`,
    {
      ports: [{ name: "http", containerPort: port }],
      readinessProbe: { httpGet: { port, path: "/large" }, periodSeconds: 1 },
    },
  );

beforeAll(async () => {
  cox = await Cox.up();
  pods = new Pods(cox);
  await loadShellImage(cox);
  await pods.runReady("web", { containers: [httpd(8080)] });
});

afterAll(async () => {
  for (const forward of forwards) forward.kill();
  await cox?.destroy();
});

/** `kubectl port-forward` to a port of a pod or Service: the local port, and what kubectl says meanwhile. */
async function forwarded(
  what: string,
  port: string,
): Promise<{ url: string; said: () => string; child: ChildProcess }> {
  const environment = { ...process.env, KUBECONFIG: join(cox.home, "kubeconfig") };
  const child = spawn("kubectl", ["port-forward", what, `:${port}`], { env: environment });
  forwards.push(child);
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  child.stderr.on("data", (text) => {
    said += text;
  });
  const local = await eventually("kubectl forwards", () => {
    const [, found] = /Forwarding from 127\.0\.0\.1:(\d+) -> /.exec(said) ?? [];
    if (!found) throw new Error(said);
    return found;
  });
  return { url: `http://127.0.0.1:${local}`, said: () => said, child };
}

test("kubectl port-forward reaches a port of a pod, many times and with much", async () => {
  const { url } = await forwarded("pod/web", "8080");
  expect(await (await fetch(`${url}/index.html`)).text()).toBe("hello\n");
  const all = await Promise.all(
    Array.from({ length: 5 }, async () => (await (await fetch(`${url}/large`)).text()).length),
  );
  expect(all).toEqual([3_000_000, 3_000_000, 3_000_000, 3_000_000, 3_000_000]);
});

test("port-forward takes older WebSockets, which name ports in the query", async () => {
  const { url, token, ca } = await cox.credentials();
  const address = `${url.replace("https", "wss")}/api/v1/namespaces/default/pods/web/portforward?ports=8080`;
  const socket = new WebSocket(address, ["v4.channel.k8s.io"], { ca, headers: { authorization: `Bearer ${token}` } });
  const pieces: Buffer[] = [];
  socket.on("message", (data: Buffer) => pieces.push(data));
  await once(socket, "open");
  const request = Buffer.from("GET /deep/file HTTP/1.0\r\n\r\n");
  socket.send(Buffer.concat([Buffer.of(0), request]));
  await eventually("the answer came", () => {
    const text = Buffer.concat(pieces.filter(([channel]) => channel === 0).map((piece) => piece.subarray(1)));
    expect(text.toString("latin1")).toContain("below\n");
  });
  socket.close();
});

test("kubectl port-forward says that nobody listens", async () => {
  const { url, said } = await forwarded("pod/web", "9");
  await expect(fetch(url)).rejects.toThrow();
  await eventually("kubectl says why", () =>
    expect(said()).toMatch(/an error occurred forwarding \d+ -> 9: error forwarding port 9 to pod [0-9a-f]+,/),
  );
});

test("kubectl port-forward needs a pod that runs", async () => {
  await pods.create("asleep", { containers: [{ name: "app", image: "absent:v1", imagePullPolicy: "Never" }] });
  await pods.untilWaiting("asleep", "ErrImageNeverPull");
  const { code, stderr } = await cox.try("kubectl", ["port-forward", "pod/asleep", ":80"]);
  expect(code).toBe(1);
  expect(stderr).toBe("error: unable to forward port because pod is not running. Current status=Pending\n");
});

const asked = async (path: string, method = "GET", body?: string): Promise<HttpAnswer> => {
  const { url, token, ca } = await cox.credentials();
  const options = { headers: { authorization: `Bearer ${token}` }, ...(body !== undefined && { body }) };
  return await ask({ url, caCertificate: ca }, method, `/api/v1/namespaces/default/${path}`, options);
};

const PAGE = `echo '<html><a href="/deep/file">below</a><img src="near.png"></html>' > /www/page.html;`;
/** What busybox's httpd runs: tells what it was asked. */
const ECHO = `mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho "Content-Type: text/plain"; echo; echo "$REQUEST_METHOD $REQUEST_URI $HTTP_X_FORWARDED_URI"; cat\\n' > /www/cgi-bin/echo; printf '#!/bin/sh\\necho "Status: 302 Found"; echo "Location: /deep/file"; echo\\n' > /www/cgi-bin/move; chmod +x /www/cgi-bin/*;`;

test("pods and services are asked by proxy", async () => {
  await pods.apply(
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "shop" },
      spec: { selector: { app: "shop" }, ports: [{ name: "web", port: 80, targetPort: "http" }] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "empty" },
      spec: { selector: { app: "nobody" }, ports: [{ port: 80 }] },
    },
  );
  await pods.runReady("shop", { containers: [httpd(8080, PAGE + ECHO)] });

  expect((await asked("pods/shop/proxy/deep/file")).text).toBe("below\n");
  expect((await asked("pods/http:shop:8080/proxy/deep/file")).text).toBe("below\n");
  expect(await cox.kubectl(["get", "--raw", "/api/v1/namespaces/default/pods/shop:8080/proxy/index.html"])).toBe(
    "hello\n",
  );
  expect((await asked("pods/shop/proxy/large")).text.length).toBe(3_000_000);
  const missing = await asked("pods/shop/proxy/nothing");
  expect(missing.code).toBe(404);
  expect(missing.text).toContain("The requested URL was not found");

  await eventually("the Service has its endpoint", async () =>
    expect((await asked("services/shop:web/proxy/index.html")).text).toBe("hello\n"),
  );
  expect((await asked("services/shop:80/proxy/deep/file")).text).toBe("below\n");
  const body = "y".repeat(1_000_000);
  const prefix = "/api/v1/namespaces/default/services/shop:web/proxy";
  const posted = await asked("services/shop:web/proxy/cgi-bin/echo?a=b", "POST", body);
  const [first = "", echoed] = posted.text.split("\n");
  expect(first).toMatch(/^POST \/cgi-bin\/echo\?a=b/);
  expect(echoed === body).toBe(true);

  const page = await asked("services/shop:web/proxy/page.html");
  expect(page.text).toBe(`<html><a href="${prefix}/deep/file">below</a><img src="near.png"></html>\n`);

  const bare = await asked("services/shop:web/proxy?a=b");
  expect([bare.code, bare.headers["location"]]).toEqual([301, `${prefix}/?a=b`]);
  const moved = await asked("services/shop:web/proxy/cgi-bin/move");
  expect([moved.code, moved.headers["location"]]).toEqual([302, `${prefix}/deep/file`]);
});

test("who is asked by proxy and is not there is told of in upstream's words", async () => {
  const refusal = async (path: string) => {
    const { code, body } = await asked(path);
    return [code, body.reason, body.message];
  };
  expect(await refusal("services/empty/proxy/")).toEqual([
    503,
    "ServiceUnavailable",
    'no endpoints available for service "empty"',
  ]);
  expect(await refusal("services/shop:81/proxy/")).toEqual([
    503,
    "ServiceUnavailable",
    'no service port 81 found for service "shop"',
  ]);
  expect(await refusal("pods/nobody/proxy/")).toEqual([404, "NotFound", 'pods "nobody" not found']);
  expect(await refusal("pods/ftp:web:80/proxy/")).toEqual([400, "BadRequest", 'invalid pod request "ftp:web:80"']);
  const { podIP } = (await pods.get("web")).status;
  expect(await refusal("pods/web:9/proxy/")).toEqual([
    503,
    "ServiceUnavailable",
    `error trying to reach service: dial tcp ${podIP}:9: connect: connection refused`,
  ]);
});

/** A pod that passes connections to its port on to this test's own server. */
async function relay(name: string, port: number, to: number): Promise<void> {
  const env = [{ name: "HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }];
  const script = `nc -ll -p ${port} -e nc $HOST ${to} & ${STAYS}`;
  await pods.runReady(name, { containers: [shell("relay", script, { env, ports: [{ containerPort: port }] })] });
}

test("a WebSocket in a pod is spoken to by proxy", async () => {
  const server = new WebSocketServer({ port: 0, host: "0.0.0.0", handleProtocols: () => "chat" });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(isBinary ? data : `heard ${data}`, { binary: isBinary }));
    socket.send("welcome");
  });
  try {
    await once(server, "listening");
    await relay("chat", 8000, (server.address() as AddressInfo).port);
    const { url, token, ca } = await cox.credentials();
    const address = `${url.replace("https", "wss")}/api/v1/namespaces/default/pods/chat:8000/proxy/room?a=b`;
    const options = { ca, headers: { authorization: `Bearer ${token}` } };
    const heard: (string | number)[] = [];
    const socket = await eventually("the relay listens", async () => {
      const client = new WebSocket(address, ["talk", "chat"], options);
      client.on("message", (data: Buffer, isBinary) => heard.push(isBinary ? data.length : data.toString()));
      await once(client, "open");
      return client;
    });
    expect(socket.protocol).toBe("chat");
    socket.send("ahoy");
    socket.send(Buffer.alloc(100_000));
    await eventually("the answers came", () => expect(heard).toEqual(["welcome", "heard ahoy", 100_000]));
    const ended = once(socket, "close");
    for (const client of server.clients) client.close();
    await ended;
  } finally {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

test("a webhook behind a Service is called by the node of its pod", async () => {
  const authority = makeAuthority("webhooks", new Date());
  const pair = makeServerCertificate(authority, ["hook.default.svc"], new Date());
  const hook = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    let text = "";
    request.on("data", (piece) => {
      text += piece;
    });
    request.on("end", () => {
      const { uid } = JSON.parse(text).request;
      const verdict = { uid, allowed: false, status: { code: 403, reason: "Forbidden", message: "not in this shop" } };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: verdict }));
    });
  }).listen(0, "0.0.0.0");
  try {
    await once(hook, "listening");
    const { port } = hook.address() as AddressInfo;
    await relay("hook", 8443, port);
    await pods.apply(
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "hook" },
        spec: { selector: { app: "hook" }, ports: [{ port: 443, targetPort: 8443 }] },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name: "shop" },
        webhooks: [
          {
            name: "shop.example.com",
            clientConfig: {
              service: { namespace: "default", name: "hook", path: "/validate" },
              caBundle: Buffer.from(authority.certificate).toString("base64"),
            },
            rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
            objectSelector: { matchLabels: { asked: "yes" } },
            admissionReviewVersions: ["v1"],
            sideEffects: "None",
          },
        ],
      },
    );
    const wanted = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "wanted", labels: { asked: "yes" } } };
    await eventually("the webhook is asked", async () => {
      const { stderr } = await cox.try("kubectl", ["create", "-f", "-"], JSON.stringify(wanted));
      expect(stderr).toBe(
        'Error from server (Forbidden): error when creating "STDIN": admission webhook "shop.example.com" denied the request: not in this shop\n',
      );
    });
  } finally {
    hook.closeAllConnections();
    hook.close();
  }
});
