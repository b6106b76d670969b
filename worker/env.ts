import type { HomeRpc, NodeLinkRpc } from "../durable-objects/protocol.ts";

/** A Durable Object as the worker holds it: by name, with the RPC it may call. */
interface Namespace<Rpc> {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Rpc & Pick<Fetcher, "fetch">;
}

/** What the platform binds to the worker (wrangler.toml, and the workerd configuration that `cox up` writes). */
export interface WorkerEnv {
  NAMESPACE_HOME: Namespace<HomeRpc>;
  CLUSTER_HOME: Namespace<HomeRpc & { join(bootstrapToken: string, nodeName: string): Promise<boolean> }>;
  TIMELINE: Namespace<HomeRpc>;
  NODE_LINK: Namespace<NodeLinkRpc>;
  /** Signs credentials: base64url of 32 random bytes. */
  SIGNING_KEY: string;
}
