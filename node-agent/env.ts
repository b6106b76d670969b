import type { IContainer } from "kubernetes-models/v1/Container";
import type { PodObject } from "../api/kinds/pod.ts";
import type { ServiceObject } from "../api/kinds/service.ts";
import { type Allocatable, fieldValue, type PodAddresses, resourceValue } from "./fields.ts";
import type { ReferencedObjects } from "./references.ts";

export interface EnvironmentContext {
  objects: ReferencedObjects;
  addresses: PodAddresses;
  allocatable: Allocatable;
  /** All services that are known; those of the pod's namespace count, and `kubernetes` of `default`. */
  services: Iterable<ServiceObject>;
}

/** What is wrong with a container's configuration: becomes CreateContainerConfigError. */
export class ConfigError extends Error {}

/** A container's environment in kubelet's order: envFrom, env, then the services' variables that neither has set. */
export function environment(pod: PodObject, container: IContainer, context: EnvironmentContext): Map<string, string> {
  const services = serviceEnvironment(pod, context.services);
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of sourceEntries(source, context)) result.set(`${source.prefix ?? ""}${key}`, value);
  }
  const visible = (name: string) => result.get(name) ?? services.get(name);
  for (const variable of container.env ?? []) {
    if (variable.valueFrom) {
      const value = referredValue(pod, container, variable.valueFrom, context);
      if (value !== undefined) result.set(variable.name, value);
    } else result.set(variable.name, expand(variable.value ?? "", visible));
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

type EnvFrom = NonNullable<IContainer["envFrom"]>[number];
type ValueFrom = NonNullable<NonNullable<IContainer["env"]>[number]["valueFrom"]>;

function sourceEntries(source: EnvFrom, { objects }: EnvironmentContext): [string, string][] {
  if (source.configMapRef) {
    const object = objects("configmaps", source.configMapRef.name ?? "");
    if (object) return Object.entries((object["data"] ?? {}) as Record<string, string>);
    if (source.configMapRef.optional) return [];
    throw new ConfigError(`configmap "${source.configMapRef.name}" not found`);
  }
  if (source.secretRef) {
    const object = objects("secrets", source.secretRef.name ?? "");
    if (object)
      return Object.entries((object["data"] ?? {}) as Record<string, string>).map(([key, value]) => [
        key,
        decode(value),
      ]);
    if (source.secretRef.optional) return [];
    throw new ConfigError(`secret "${source.secretRef.name}" not found`);
  }
  return [];
}

/** Undefined where something optional is missing. */
function referredValue(
  pod: PodObject,
  container: IContainer,
  from: ValueFrom,
  context: EnvironmentContext,
): string | undefined {
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, context.addresses);
  if (from.resourceFieldRef) {
    const { containerName, resource, divisor } = from.resourceFieldRef;
    const named = !containerName
      ? container
      : [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(({ name }) => name === containerName);
    if (!named) throw new ConfigError(`container ${containerName} not found`);
    return resourceValue(named, resource, divisor === undefined ? undefined : String(divisor), context.allocatable);
  }
  const { namespace } = pod.metadata;
  if (from.configMapKeyRef) {
    const { name = "", key, optional } = from.configMapKeyRef;
    const object = context.objects("configmaps", name);
    if (!object && !optional) throw new ConfigError(`configmap "${name}" not found`);
    const value = (object?.["data"] as Record<string, string> | undefined)?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef) {
    const { name = "", key, optional } = from.secretKeyRef;
    const object = context.objects("secrets", name);
    if (!object && !optional) throw new ConfigError(`secret "${name}" not found`);
    const value = (object?.["data"] as Record<string, string> | undefined)?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value === undefined ? undefined : decode(value);
  }
  return undefined;
}

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** Replaces `$(NAME)`; `$$` is a dollar sign; what is unknown stays as it is written. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] !== "$" || next === undefined) {
      result += text[at];
    } else if (next === "$") {
      result += "$";
      at++;
    } else if (next === "(") {
      const close = text.indexOf(")", at + 2);
      if (close < 0) {
        result += "$(";
        at++;
        continue;
      }
      const name = text.slice(at + 2, close);
      result += lookUp(name) ?? `$(${name})`;
      at = close;
    } else {
      result += `$${next}`;
      at++;
    }
  }
  return result;
}

/** Variables of the services (`REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP_ADDR`, …), as kubelet's envvars package makes them. */
export function serviceEnvironment(pod: PodObject, services: Iterable<ServiceObject>): Map<string, string> {
  const links = pod.spec.enableServiceLinks ?? true;
  const chosen = new Map<string, ServiceObject>();
  for (const service of services) {
    const { name, namespace } = service.metadata;
    const { clusterIP } = service.spec;
    if (!clusterIP || clusterIP === "None") continue;
    if (namespace === "default" && name === "kubernetes") {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (links && namespace === pod.metadata.namespace) chosen.set(name, service);
  }
  const result = new Map<string, string>();
  for (const { metadata, spec } of chosen.values()) {
    const prefix = upper(metadata.name);
    const ports = spec.ports ?? [];
    const host = spec.clusterIP!;
    result.set(`${prefix}_SERVICE_HOST`, host);
    if (ports[0]) result.set(`${prefix}_SERVICE_PORT`, String(ports[0].port));
    for (const port of ports)
      if (port.name) result.set(`${prefix}_SERVICE_PORT_${upper(port.name)}`, String(port.port));
    for (const [index, { port, protocol = "TCP" }] of ports.entries()) {
      const lower = protocol.toLowerCase();
      const address = host.includes(":") ? `[${host}]` : host;
      const url = `${lower}://${address}:${port}`;
      if (index === 0) result.set(`${prefix}_PORT`, url);
      const long = `${prefix}_PORT_${port}_${protocol}`;
      result.set(long, url);
      result.set(`${long}_PROTO`, lower);
      result.set(`${long}_PORT`, String(port));
      result.set(`${long}_ADDR`, host);
    }
  }
  return result;
}

const upper = (name: string): string => name.toUpperCase().replaceAll("-", "_");
