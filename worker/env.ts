import type {
  ClusterHomeCatalogRpc,
  ClusterHomeRestoreRpc,
  ClusterHomeTimelineRpc,
  HomePastRpc,
  HomeRpc,
  NodeLinkRpc,
  TimelineRpc,
} from "../durable-objects/protocol.ts";

/** A Durable Object as the worker holds it: by name, with the RPC it may call. */
interface Namespace<Rpc> {
  getByName(name: string): Rpc;
}

/** What the platform binds to the worker (wrangler.toml, and the workerd configuration that `cox up` writes). */
export interface WorkerEnv {
  NAMESPACE_HOME: Namespace<HomeRpc & HomePastRpc>;
  CLUSTER_HOME: Namespace<
    HomeRpc &
      HomePastRpc &
      ClusterHomeRestoreRpc &
      ClusterHomeCatalogRpc &
      Pick<ClusterHomeTimelineRpc, "authorize"> & { join(bootstrapToken: string, nodeName: string): Promise<boolean> }
  >;
  TIMELINE: Namespace<HomeRpc & Pick<TimelineRpc, "cut">>;
  NODE_LINK: Namespace<NodeLinkRpc>;
  /** Signs credentials: base64url of 32 random bytes. */
  SIGNING_KEY: string;
  /** A Policy of audit.k8s.io/v1, as YAML or JSON; absent or empty: nothing is audited. */
  AUDIT_POLICY?: string;
  /** Takes the audit log's lines (POST); on one machine. */
  AUDIT_LOG?: { fetch(url: string, init: { method: string; body: string }): Promise<Response> };
  /** Takes the audit log as objects of many lines; where it is deployed. */
  AUDIT_BUCKET?: { put(name: string, content: string): Promise<unknown> };
}
