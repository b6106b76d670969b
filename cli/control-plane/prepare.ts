import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import type { ApiClient } from "../api-client.ts";
import type { PreparedAudit } from "../audit/prepare-audit.ts";
import { type Home, writeWhole } from "../home.ts";
import type { ProcessPlan } from "../supervise.ts";
import { bundleWorker } from "./bundle.ts";
import { ensureCertificates } from "./certificates.ts";
import { ensureSigningKey, makeAdminToken } from "./credentials.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { workerdConfig } from "./workerd-config.ts";

export const SERVICE_CIDR = "10.96.0.0/16";
export const POD_CIDR = "10.244.0.0/16";
/** The ClusterIP of the Service `kubernetes`, and of the cluster's DNS, as kubeadm has them. */
const KUBERNETES_SERVICE_IP = "10.96.0.1";
export const CLUSTER_DNS_IP = "10.96.0.10";

export interface ControlPlaneOptions {
  port: number;
  /** This machine's address on the nodes' bridge, where nodes and pods reach the API; absent without real nodes. */
  bridgeAddress?: string;
  /** Absent: nothing is audited. */
  audit?: PreparedAudit | undefined;
}

/** A control plane that is ready to be started. */
export interface ControlPlane extends ApiClient {
  plan: ProcessPlan;
  /** What keeps its audit log, to be started before it. */
  auditPlan?: ProcessPlan | undefined;
}

/** Makes what the control plane runs on (bundle, certificates, keys, configuration) and the kubeconfig; starts nothing. */
export async function prepareControlPlane(home: Home, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { port, bridgeAddress, audit } = options;
  const module = await bundleWorker(home.controlPlane);
  const { authority } = ensureCertificates(home, serverNames(bridgeAddress), new Date());
  const signingKey = ensureSigningKey(home);
  const token = await makeAdminToken(signingKey, "default");
  const url = `https://127.0.0.1:${port}`;
  const client = { url, token, caCertificate: authority.certificate };
  writeWhole(home.kubeconfig, kubeconfig(client));
  mkdirSync(home.objects, { recursive: true, mode: 0o700 });
  writeWhole(
    home.workerdConfig,
    workerdConfig({
      module,
      addresses: ["127.0.0.1", ...(bridgeAddress ? [bridgeAddress] : [])].map((address) => `${address}:${port}`),
      certificate: home.serverCertificate,
      key: home.serverKey,
      signingKey: home.signingKey,
      caCertificate: home.caCertificate,
      objects: home.objects,
      auditSocket: audit?.socket,
      variables: {
        ...(audit && { AUDIT_POLICY: audit.policy }),
        SERVICE_CIDR,
        POD_CIDR,
        KUBERNETES_ENDPOINT: bridgeAddress ? `${bridgeAddress}:${port}` : "",
        // It is the user's own machine: webhooks may be on it.
        WEBHOOK_PRIVATE_ADDRESSES: "allowed",
      },
    }),
  );
  return { ...client, plan: workerdPlan(home, url), auditPlan: audit?.plan };
}

function workerdPlan(home: Home, url: string): ProcessPlan {
  return {
    name: "workerd",
    role: "workerd",
    command: workerdProgram(),
    args: ["serve", "--experimental", home.workerdConfig],
    environment: {},
    log: join(home.logs, "workerd.log"),
    url,
  };
}

/** workerd's package is CommonJS without typings; what it exports is the path of this system's program. */
const workerdProgram = (): string => (createRequire(import.meta.url)("workerd") as { default: string }).default;

/** Every name by which a client may reach the API. */
function serverNames(bridgeAddress: string | undefined): string[] {
  const names = [
    "127.0.0.1",
    "::1",
    "localhost",
    hostname().toLowerCase(),
    KUBERNETES_SERVICE_IP,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    ...(bridgeAddress ? [bridgeAddress] : []),
  ];
  return [...new Set(names)];
}
