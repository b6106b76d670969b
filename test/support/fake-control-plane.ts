import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificates } from "../../cli/control-plane/certificates.ts";
import { ensureSigningKey } from "../../cli/control-plane/credentials.ts";
import { kubeconfig } from "../../cli/control-plane/kubeconfig.ts";
import { type Home, homeAt, makeHome } from "../../cli/home.ts";

export type FakeRoute = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A home as `cox up` leaves it, and behind its kubeconfig a server that answers as a test wants: for what a control plane does rarely. */
export class FakeControlPlane {
  readonly home: Home;
  readonly #server: Server;
  /** By method and URL (`GET /api`); whatever has none is 404. */
  routes: Record<string, FakeRoute> = {};
  /** Methods and URLs, in the order in which they were asked for. */
  readonly asked: string[] = [];

  private constructor(home: Home) {
    this.home = home;
    const { server } = ensureCertificates(home, ["127.0.0.1"], new Date());
    this.#server = createServer({ cert: server.certificate, key: server.key }, (request, response) => {
      const name = `${request.method} ${request.url}`;
      this.asked.push(name);
      const route = this.routes[name] ?? answering(404, { kind: "Status", message: "the server could not find it" });
      void route(request, response);
    });
  }

  static async start(): Promise<FakeControlPlane> {
    const home = homeAt(mkdtempSync(join(tmpdir(), "cox-fake-")));
    makeHome(home);
    ensureSigningKey(home);
    const fake = new FakeControlPlane(home);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    const { port } = fake.#server.address() as { port: number };
    const { authority } = ensureCertificates(home, ["127.0.0.1"], new Date());
    const client = { url: `https://127.0.0.1:${port}`, token: "a.b.c", caCertificate: authority.certificate };
    writeFileSync(home.kubeconfig, kubeconfig(client));
    return fake;
  }

  /** Nobody listens any more; the home stays. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async stop(): Promise<void> {
    await this.close();
    rmSync(this.home.root, { recursive: true, force: true });
  }
}

/** Answers at once, whatever the request's body. */
export const answering =
  (code: number, body: unknown): FakeRoute =>
  (_, response) => {
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
