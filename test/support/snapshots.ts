import { request } from "node:https";
import { Readable } from "node:stream";
import { base64url, SignJWT } from "jose";
import { makeAdminToken } from "../../cli/control-plane/credentials.ts";
import { readIfThere } from "../../cli/home.ts";
import type { TestCluster } from "./control-plane.ts";

export interface RawAnswer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  bytes: Buffer;
  /** The bytes parsed, where they are JSON. */
  body: any;
}

/** One cluster of a control plane, as one of its users: also of clusters that are not there yet. */
export class ClusterClient {
  readonly name: string;
  readonly token: string;
  readonly #controlPlane: TestCluster;

  private constructor(controlPlane: TestCluster, name: string, token: string) {
    this.#controlPlane = controlPlane;
    this.name = name;
    this.token = token;
  }

  /** As the cluster's admin. */
  static async of(controlPlane: TestCluster, name: string): Promise<ClusterClient> {
    const key = readIfThere(controlPlane.home.signingKey) as string;
    return new ClusterClient(controlPlane, name, await makeAdminToken(key, name));
  }

  /** The same cluster as a user of other groups. */
  async asUser(name: string, groups: string[]): Promise<ClusterClient> {
    const key = base64url.decode(readIfThere(this.#controlPlane.home.signingKey) as string);
    const token = new SignJWT({ groups, cluster: this.name })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("coxswain")
      .setSubject(name)
      .setExpirationTime("1h");
    return this.as(await token.sign(key));
  }

  /** The same cluster with another's credential. */
  as(token: string): ClusterClient {
    return new ClusterClient(this.#controlPlane, this.name, token);
  }

  /** @param body JSON; or bytes, or a stream of them, as they are */
  async call(method: string, path: string, body?: object | Buffer | Readable): Promise<RawAnswer> {
    const isRaw = body instanceof Readable || Buffer.isBuffer(body);
    return await new Promise((resolve, reject) => {
      const asked = request(
        `${this.#controlPlane.url}/clusters/${this.name}${path}`,
        {
          method,
          ca: this.#controlPlane.caCertificate,
          agent: false,
          headers: {
            authorization: `Bearer ${this.token}`,
            ...(body !== undefined && { "content-type": isRaw ? "application/x-ndjson" : "application/json" }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const bytes = Buffer.concat(chunks);
            resolve({ code: answer.statusCode ?? 0, headers: answer.headers, bytes, body: parsed(bytes) });
          });
        },
      );
      asked.on("error", reject);
      if (body instanceof Readable) {
        body.on("error", (error) => asked.destroy(error));
        body.pipe(asked);
      } else asked.end(isRaw || body === undefined ? body : JSON.stringify(body));
    });
  }

  /** The answer's body. Throws where the code is another. */
  async must(code: number, method: string, path: string, body?: object | Buffer | Readable): Promise<any> {
    const answer = await this.call(method, path, body);
    if (answer.code !== code)
      throw new Error(`${method} ${path}: ${answer.code} instead of ${code}: ${answer.bytes.toString().slice(0, 500)}`);
    return answer.body;
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
