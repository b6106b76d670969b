import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, freePort } from "./cox.ts";
import { digest, type Image, splitName } from "./images.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Debian's docker-registry, with its own storage, on the loopback. */
export interface Registry {
  /** `127.0.0.1:port`: what images' names begin with. */
  address: string;
  /** Stores an image; the name to pull it by is returned (`127.0.0.1:port/guestbook:v1`). */
  push(image: Image): Promise<string>;
  close(): Promise<void>;
}

/** Starts one; `port` where it matters which. */
export async function startRegistry(options: { port?: number } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), "coxswain-registry-"));
  const address = `127.0.0.1:${options.port ?? (await freePort())}`;
  const configuration = {
    version: 0.1,
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(folder, "storage") } },
    http: { addr: address },
  };
  // Its configuration is YAML, which JSON is.
  await writeFile(join(folder, "config.yml"), JSON.stringify(configuration));
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  const close = async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await once(child, "spawn");
    await eventually(
      "the registry answers",
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
        await expectCode(200, await fetch(`http://${address}/v2/`));
      },
      20,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address,
    close,
    async push(image) {
      const { repository, tag } = splitName(image.name);
      const base = `http://${address}/v2/${repository}`;
      for (const blob of [image.layer, image.config]) await pushBlob(base, blob);
      const manifest = await fetch(`${base}/manifests/${tag}`, {
        method: "PUT",
        headers: { "content-type": MANIFEST },
        body: new Uint8Array(image.manifest),
      });
      await expectCode(201, manifest);
      return `${address}/${repository}:${tag}`;
    },
  };
}

/** Another address of a registry, open only to whoever knows the password (HTTP Basic). */
export async function guard(
  registry: Registry,
  user: { name: string; password: string },
): Promise<{ address: string; close(): Promise<void> }> {
  const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString("base64")}`;
  const server = createServer((asked, answer) => {
    asked.resume();
    if (asked.headers.authorization !== expected) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
      return;
    }
    const { authorization: _, host: __, ...headers } = asked.headers;
    request(`http://${registry.address}${asked.url}`, { method: asked.method, headers }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
    })
      .on("error", () => answer.destroy())
      .end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function pushBlob(base: string, blob: Buffer): Promise<void> {
  const started = await expectCode(202, await fetch(`${base}/blobs/uploads/`, { method: "POST" }));
  const location = new URL(started.headers.get("location")!, base);
  location.searchParams.set("digest", digest(blob));
  const headers = { "content-type": "application/octet-stream" };
  await expectCode(201, await fetch(location, { method: "PUT", headers, body: new Uint8Array(blob) }));
}

async function expectCode(code: number, response: Response): Promise<Response> {
  if (response.status !== code) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  if (response.status !== 202) await response.arrayBuffer();
  return response;
}
