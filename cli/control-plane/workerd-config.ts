import { basename } from "node:path";

/** The Durable Object classes that worker/main.ts exports, by the binding that names them. Both are for ever: state hangs on them. */
const DURABLE_OBJECTS = {
  NAMESPACE_HOME: "NamespaceHome",
  CLUSTER_HOME: "ClusterHome",
  TIMELINE: "Timeline",
  SCHEDULER: "Scheduler",
  NODE_LINK: "NodeLink",
} as const;

/** Also in wrangler.toml: what runs here is what is deployed. */
const COMPATIBILITY_DATE = "2026-10-01";
const COMPATIBILITY_FLAGS = ["enable_request_signal"];

/**
 * A small young generation: short collections and little memory. Measured with `bench -- api`: 1 MB takes 166 MB after the load and
 * collects so often that creates lose a tenth; 4 MB takes 191 MB. Idle, both take 83.
 */
const V8_FLAGS = ["--max-semi-space-size=4"];

/** What one control plane's workerd is told. Files are named beside the configuration itself. */
export interface WorkerdConfig {
  /** The worker's bundle. */
  module: string;
  /** `host:port` to listen on with TLS. */
  addresses: readonly string[];
  certificate: string;
  key: string;
  signingKey: string;
  caCertificate: string;
  /** The folder of the Durable Objects' files. */
  objects: string;
  /** The Unix socket that takes the audit log's lines. */
  auditSocket?: string | undefined;
  /** Variables of the worker. */
  variables: Readonly<Record<string, string>>;
}

/** The configuration in Cap'n Proto's text format (workerd.capnp in the workerd package describes it). */
export function workerdConfig(config: WorkerdConfig): string {
  const bindings = [
    ...Object.entries(DURABLE_OBJECTS).map(
      ([binding, className]) => `(name = ${quote(binding)}, durableObjectNamespace = ${quote(className)})`,
    ),
    `(name = "SIGNING_KEY", text = embed ${embedded(config.signingKey)})`,
    ...(config.auditSocket ? [`(name = "AUDIT_LOG", service = "audit-log")`] : []),
    `(name = "ROOT_CA", text = embed ${embedded(config.caCertificate)})`,
    ...Object.entries(config.variables).map(([name, value]) => `(name = ${quote(name)}, text = ${quote(value)})`),
  ];
  const namespaces = Object.values(DURABLE_OBJECTS).map(
    (className) => `(className = ${quote(className)}, uniqueKey = ${quote(`coxswain-${className}`)}, enableSql = true)`,
  );
  const auditLog = config.auditSocket
    ? `,\n    (name = "audit-log", external = (address = ${quote(`unix:${config.auditSocket}`)}, http = ()))`
    : "";
  const sockets = config.addresses.map(
    (address, index) =>
      `(name = "https-${index}", address = ${quote(address)}, service = "worker", https = (options = (), ` +
      `tlsOptions = (keypair = (privateKey = embed ${embedded(config.key)}, certificateChain = embed ${embedded(config.certificate)}))))`,
  );
  // "= .worker" needs its blank: "=.worker" is a syntax error.
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = ${list(V8_FLAGS.map(quote))},
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = ${quote(config.objects)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))${auditLog}
  ],
  sockets = ${list(sockets)}
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${embedded(config.module)})],
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  compatibilityFlags = ${list(COMPATIBILITY_FLAGS.map(quote))},
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (localDisk = "objects"),
  bindings = ${list(bindings)}
);
`;
}

const list = (items: readonly string[]): string => (items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")}\n  ]`);

/** A Cap'n Proto text literal. Names, addresses and paths need no more than its two escapes. */
const quote = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

/** `embed` takes a path relative to the configuration; ours lie beside it. */
const embedded = (path: string): string => quote(basename(path));
