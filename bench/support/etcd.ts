import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChannelOptions, credentials, makeClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { findProgram } from "../../cli/node/packages.ts";
import { freePort } from "../../test/support/cox.ts";

const READY_SECONDS = 20;
const POLL_MILLISECONDS = 50;
/** What may be under way to us unread: the 64 KB that are HTTP/2's default would hold back a range of many megabytes. */
const WINDOW_BYTES = 16 << 20;
/** Of a gRPC message: one byte that says it is not compressed, and its length. */
const MESSAGE_HEAD_BYTES = 5;

const KV = loadSync(join(import.meta.dirname, "etcd.proto"), { keepCase: true, longs: Number })[
  "etcdserverpb.KV"
] as Record<"Range" | "Put", MethodDefinition<object, object>>;
const { Range, Put } = KV;
const KvClient = makeClientConstructor(KV as unknown as ServiceDefinition, "KV");

/** A whole etcd with its own data below the temporary folder, where the control plane's are as well: the same disk. */
export class Etcd {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #address: string;

  private constructor(folder: string, child: ChildProcess, address: string) {
    this.#folder = folder;
    this.#process = child;
    this.#address = address;
  }

  static async start(): Promise<Etcd> {
    const program = findProgram("etcd");
    if (!program) {
      throw new Error(
        "THERE IS NO etcd TO MEASURE BESIDE: install Debian's package with `apt-get install --no-install-recommends etcd-server`",
      );
    }
    const folder = mkdtempSync(join(tmpdir(), "cox-bench-etcd-"));
    const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
    const child = spawn(
      program,
      [
        ...["--data-dir", folder, "--log-level", "error"],
        ...["--listen-client-urls", client, "--advertise-client-urls", client],
        ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `default=${peer}`],
      ],
      { stdio: "ignore" }, // Its raft tells of each election, whatever the log level.
    );
    const etcd = new Etcd(folder, child, client.slice("http://".length));
    try {
      await etcd.#ready();
    } catch (error) {
      await etcd.stop();
      throw error;
    }
    return etcd;
  }

  open(): EtcdClient {
    return new EtcdClient(this.#address);
  }

  openGrpc(): GrpcClient {
    return new GrpcClient(this.#address);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_SECONDS * 1000;
    for (;;) {
      const client = this.open();
      try {
        return await client.put("ready", Buffer.from("yes"));
      } catch (error) {
        if (this.#process.exitCode !== null) throw new Error(`etcd has ended with code ${this.#process.exitCode}`);
        if (performance.now() > deadline) throw error;
        await sleep(POLL_MILLISECONDS);
      } finally {
        client.close();
      }
    }
  }
}

/** One connection to etcd as a program has it: Node's gRPC library, which decodes what it is sent. */
export class GrpcClient {
  readonly #client: InstanceType<typeof KvClient>;

  constructor(address: string) {
    const options: ChannelOptions = { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": -1 };
    this.#client = new KvClient(address, credentials.createInsecure(), options);
  }

  async put(key: string, value: Buffer): Promise<void> {
    await this.#call("Put", { key: Buffer.from(key), value });
  }

  /** All keys with a prefix and their values. @returns the values' bytes */
  async range(prefix: string): Promise<number> {
    const { kvs } = await this.#call("Range", { key: Buffer.from(prefix), range_end: endOf(prefix) });
    return (kvs as { value: Buffer }[]).reduce((bytes, { value }) => bytes + value.length, 0);
  }

  close(): void {
    this.#client.close();
  }

  #call(method: "Put" | "Range", request: object): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) =>
      this.#client[method]!(request, (error: Error | null, answer: Record<string, unknown>) =>
        error ? reject(error) : resolve(answer),
      ),
    );
  }
}

/**
 * One connection to etcd: gRPC over Node's HTTP/2, as bare as our own side's `HttpClient`: what etcd can do where its client costs next to nothing. With
 * @grpc/grpc-js (`GrpcClient`) the client is the limit: on two cores that etcd needs as well, 64 clients came to 2,300 puts a second over a channel each
 * and 3,900 over one; so, to 3,700 and 5,800. More processes only took more from etcd.
 */
export class EtcdClient {
  readonly #session: ClientHttp2Session;

  constructor(address: string) {
    this.#session = connect(`http://${address}`, { settings: { initialWindowSize: WINDOW_BYTES } });
    this.#session.once("connect", () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    this.#session.on("error", () => {}); // What was asked fails, each by itself.
  }

  async put(key: string, value: Buffer): Promise<void> {
    await this.#call(Put, { key: Buffer.from(key), value });
  }

  /** All keys with a prefix and their values, read and not decoded. @returns the message's bytes */
  async range(prefix: string): Promise<number> {
    return await this.#call(Range, { key: Buffer.from(prefix), range_end: endOf(prefix) });
  }

  close(): void {
    this.#session.destroy();
  }

  #call({ path, requestSerialize }: MethodDefinition<object, object>, request: object): Promise<number> {
    const message = requestSerialize(request);
    const head = Buffer.alloc(MESSAGE_HEAD_BYTES);
    head.writeUInt32BE(message.length, 1);
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let bytes = 0;
      let problem: string | undefined = "there was no answer";
      const onTrailers = (trailers: Record<string, unknown>) => {
        if (trailers["grpc-status"] === undefined) return;
        problem = trailers["grpc-status"] === "0" ? undefined : String(trailers["grpc-message"]);
      };
      // A refusal is told in the head, where nothing else follows.
      stream.on("response", onTrailers);
      stream.on("trailers", onTrailers);
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.on("error", reject);
      stream.on("end", () =>
        problem === undefined ? resolve(bytes - MESSAGE_HEAD_BYTES) : reject(new Error(`etcd ${path}: ${problem}`)),
      );
      stream.end(Buffer.concat([head, message]));
    });
  }
}

/** The first key after all that begin so. */
function endOf(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return end;
}
