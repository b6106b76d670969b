import type { IContainer } from "kubernetes-models/v1/Container";
import type { KubeObject } from "../api/object.ts";
import type { RegistryAuth } from "./runtime/runtime.ts";

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

export function pullPolicy({ imagePullPolicy, image = "" }: IContainer): PullPolicy {
  if (imagePullPolicy) return imagePullPolicy as PullPolicy;
  const { tag, digest } = parseImage(image);
  return !digest && (tag ?? "latest") === "latest" ? "Always" : "IfNotPresent";
}

const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const DOMAIN = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** The parts of an image's name, unchecked. */
function parseImage(image: string): { domain?: string; path: string; tag?: string; digest?: string } {
  const [named = "", digest] = image.split("@", 2);
  const slash = named.indexOf("/");
  const first = named.slice(0, Math.max(slash, 0));
  const domain =
    slash > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase()) ? first : undefined;
  const rest = domain === undefined ? named : named.slice(slash + 1);
  const colon = rest.lastIndexOf(":");
  return {
    path: colon < 0 ? rest : rest.slice(0, colon),
    ...(domain !== undefined && { domain }),
    ...(colon >= 0 && { tag: rest.slice(colon + 1) }),
    ...(digest !== undefined && { digest }),
  };
}

/** What is wrong with an image's name by the grammar of distribution's references, in its words. */
export function imageNameProblem(image: string): string | undefined {
  const { domain, path, tag, digest } = parseImage(image);
  const repository = domain === undefined && !path.includes("/") ? `library/${path}` : path;
  if (path !== path.toLowerCase()) {
    return `invalid reference format: repository name (${repository}) must be lowercase`;
  }
  const good =
    (domain === undefined || DOMAIN.test(domain)) &&
    path.split("/").every((part) => NAME.test(part)) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  return good ? undefined : "invalid reference format";
}

/** The registry an image comes from; names without one are Docker Hub's. */
export const registryOf = (image: string): string => parseImage(image).domain ?? "docker.io";

const HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The credentials for an image in pull secrets (kubernetes.io/dockerconfigjson and dockercfg). */
export function registryAuth(image: string, secrets: readonly KubeObject[]): RegistryAuth | undefined {
  const registry = registryOf(image);
  for (const secret of secrets) {
    for (const [address, entry] of Object.entries(authEntries(secret))) {
      const host = address.replace(/^https?:\/\//, "").split("/")[0]!;
      if (host !== registry && !(HUB.has(host) && HUB.has(registry))) continue;
      return {
        ...(entry.username && { username: entry.username }),
        ...(entry.password && { password: entry.password }),
        ...(entry.auth && { auth: entry.auth }),
        ...(entry.identitytoken && { identityToken: entry.identitytoken }),
      };
    }
  }
  return undefined;
}

type AuthEntry = { username?: string; password?: string; auth?: string; identitytoken?: string };

function authEntries(secret: KubeObject): Record<string, AuthEntry> {
  const data = (secret["data"] ?? {}) as Record<string, string>;
  const read = (key: string) => {
    try {
      return JSON.parse(Buffer.from(data[key] ?? "", "base64").toString());
    } catch {
      return undefined; // Not JSON: as good as no credentials; its content stays out of logs.
    }
  };
  return read(".dockerconfigjson")?.auths ?? read(".dockercfg") ?? {};
}
