import type { PodObject } from "../../api/kinds/pod.ts";
import { Pod } from "../../api/kinds/pod.ts";
import { Service, type ServiceObject } from "../../api/kinds/service.ts";
import type { View, Watch } from "./controller.ts";
import { isTerminal } from "./pod-state.ts";

type ServiceRef = Readonly<ServiceObject>;
type PodRef = Readonly<PodObject>;

/** The label (its value is empty) that tells a headless Service's endpoints. */
export const HEADLESS_LABEL = "service.kubernetes.io/headless";

/** Where one service port is found on a pod. */
export interface EndpointPort {
  name: string;
  protocol: string;
  port: number;
  appProtocol?: string;
}

/** Somebody else looks after the endpoints of a Service without selector; an ExternalName has none. */
export const isManaged = ({ spec }: ServiceRef): boolean =>
  Boolean(spec.selector && Object.keys(spec.selector).length > 0) && spec.type !== "ExternalName";

export const isHeadless = ({ spec }: ServiceRef): boolean => !spec.clusterIP || spec.clusterIP === "None";

const selects = ({ spec }: ServiceRef, labels: Record<string, string> | undefined): boolean =>
  Object.entries((spec.selector ?? {}) as Record<string, string>).every(([key, value]) => labels?.[key] === value);

/** Services that a pod's change concerns: those that select it, or did. */
export const podWatch: Watch<PodObject> = {
  kind: Pod,
  concerns: (pod, previous, view) =>
    view
      .list(Service)
      .filter(
        (service) =>
          isManaged(service) &&
          (selects(service, pod.metadata.labels) ||
            (previous !== undefined && selects(service, previous.metadata.labels))),
      )
      .map(({ metadata }) => metadata.name),
};

/** The pods behind a Service that have an address and have not ended. */
export const podsOf = (service: ServiceRef, view: View): PodRef[] =>
  view
    .list(Pod, { labels: service.spec.selector as Record<string, string> })
    .filter((pod) => !isTerminal(pod) && Boolean(pod.status?.podIP));

/** The Service's ports as this pod has them; a named port that the pod does not have is left out. */
export function portsOf(service: ServiceRef, pod: PodRef): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(({ name = "", protocol = "TCP", port, targetPort, appProtocol }) => {
    const found = typeof targetPort === "string" ? namedPort(pod, targetPort, protocol) : targetPort || port;
    return found === undefined ? [] : [{ name, protocol, port: found, ...(appProtocol && { appProtocol }) }];
  });
}

function namedPort({ spec }: PodRef, name: string, protocol: string): number | undefined {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports } of [...spec.containers, ...sidecars])
    for (const port of ports ?? [])
      if (port.name === name && (port.protocol ?? "TCP") === protocol) return port.containerPort;
  return undefined;
}

/** The same for ports that are the same, in whatever order. */
export const portsKey = (ports: readonly Partial<EndpointPort>[]): string =>
  ports
    .map(({ name = "", protocol = "TCP", port, appProtocol = "" }) =>
      JSON.stringify([name, protocol, port, appProtocol]),
    )
    .sort()
    .join();

/** The pod's name in the Service's domain, where the pod asks for one. */
export const hostnameIn = ({ metadata }: ServiceRef, { spec }: PodRef): string | undefined =>
  spec.hostname && spec.subdomain === metadata.name ? spec.hostname : undefined;

export const targetOf = ({ metadata }: PodRef) => ({
  kind: "Pod",
  ...(metadata.namespace && { namespace: metadata.namespace }),
  name: metadata.name,
  ...(metadata.uid && { uid: metadata.uid }),
});
