import { sameJson } from "../../api/equality.ts";
import { EndpointSlice, type EndpointSliceObject } from "../../api/kinds/endpoint-slice.ts";
import type { PodObject } from "../../api/kinds/pod.ts";
import { Service, type ServiceObject } from "../../api/kinds/service.ts";
import { generatedName } from "../../api/names.ts";
import { type Context, defineController, type View, type Write } from "./controller.ts";
import { controllerReference } from "./pod-from-template.ts";
import { isReady, isTerminating } from "./pod-state.ts";
import {
  type EndpointPort,
  HEADLESS_LABEL,
  hostnameIn,
  isHeadless,
  isManaged,
  podsOf,
  podWatch,
  portsKey,
  portsOf,
  targetOf,
} from "./service-endpoints.ts";

/** Endpoints in one slice, as upstream's default. */
export const ENDPOINTS_MAX = 100;

const SERVICE_NAME = "kubernetes.io/service-name";
const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
const MANAGER = "endpointslice-controller.k8s.io";

type ServiceRef = Readonly<ServiceObject>;
type SliceRef = Readonly<EndpointSliceObject>;
type Endpoint = NonNullable<EndpointSliceObject["endpoints"]>[number];

/** A slice as the pass wants it to be. */
interface SliceDraft {
  slice: SliceRef | undefined;
  endpoints: Endpoint[];
}

/** Lists, for each Service with a selector, the pods behind it in EndpointSlices. */
export const endpointSlice = defineController<ServiceObject>({
  name: "endpointslice-controller",
  for: Service,
  owns: [EndpointSlice],
  watches: [podWatch],

  reconcile(service, view, context) {
    if (!isManaged(service) || service.metadata.deletionTimestamp || context.terminating) return { writes: [] };
    const families = (service.spec.ipFamilies?.length ? service.spec.ipFamilies : ["IPv4"]) as string[];
    const existing = view
      .list(EndpointSlice, { ownedBy: service })
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY] === MANAGER && !metadata.deletionTimestamp);
    const writes = families.flatMap((family) =>
      reconcileFamily(
        service,
        family as EndpointSliceObject["addressType"],
        existing.filter(({ addressType }) => addressType === family),
        view,
        context,
      ),
    );
    for (const slice of existing) if (!families.includes(slice.addressType)) writes.push(deletion(slice));
    return { writes };
  },
});

function reconcileFamily(
  service: ServiceRef,
  family: EndpointSliceObject["addressType"],
  existing: readonly SliceRef[],
  view: View,
  context: Context,
): Write[] {
  const byPorts = new Map<string, { ports: EndpointPort[]; endpoints: Map<string, Endpoint> }>();
  for (const pod of podsOf(service, view)) {
    const endpoint = endpointOf(service, pod, family);
    if (!endpoint) continue;
    const ports = portsOf(service, pod);
    const key = portsKey(ports);
    const group = byPorts.get(key) ?? { ports, endpoints: new Map() };
    group.endpoints.set(identityOf(endpoint), endpoint);
    byPorts.set(key, group);
  }
  // A Service that nothing is behind has one slice, without ports and endpoints.
  if (byPorts.size === 0) byPorts.set(portsKey([]), { ports: [], endpoints: new Map() });
  const drafts: (SliceDraft & { ports: EndpointPort[] })[] = [];
  for (const [key, { ports, endpoints }] of byPorts) {
    const own = existing.filter((slice) => portsKey((slice.ports ?? []) as Partial<EndpointPort>[]) === key);
    for (const draft of distribute(own, endpoints)) drafts.push({ ...draft, ports });
  }
  const used = new Set(drafts.map(({ slice }) => slice));
  const unused = existing.filter((slice) => !used.has(slice));
  // What would be deleted becomes what would be created, as upstream has it: one change instead of two.
  for (const draft of drafts) draft.slice ??= unused.shift();
  return [
    ...drafts.flatMap((draft) => writeOf(service, family, draft, context) ?? []),
    ...unused.map((slice) => deletion(slice)),
  ];
}

const deletion = ({ metadata }: SliceRef): Write => ({
  op: "delete",
  kind: EndpointSlice,
  name: metadata.name,
  ...(metadata.uid && { uid: metadata.uid }),
});

const identityOf = ({ addresses, targetRef }: Pick<Endpoint, "addresses" | "targetRef">): string =>
  `${targetRef?.uid} ${addresses[0]}`;

function endpointOf(service: ServiceRef, pod: Readonly<PodObject>, family: string): Endpoint | undefined {
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ""];
  const address = ips.find((ip) => ip && (ip.includes(":") ? "IPv6" : "IPv4") === family);
  if (!address) return undefined;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const hostname = hostnameIn(service, pod);
  return {
    addresses: [address],
    conditions: {
      ready: Boolean(service.spec.publishNotReadyAddresses) || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname && { hostname }),
    targetRef: targetOf(pod),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
  };
}

/** Leaves endpoints where they are; new ones fill slices that change anyway, then others with room, then new slices. */
function distribute(slices: readonly SliceRef[], endpoints: ReadonlyMap<string, Endpoint>): SliceDraft[] {
  const missing = new Map(endpoints);
  const drafts: SliceDraft[] = slices.map((slice) => ({
    slice,
    endpoints: (slice.endpoints ?? []).flatMap((endpoint) => {
      const wanted = missing.get(identityOf(endpoint));
      missing.delete(identityOf(endpoint));
      return wanted ?? [];
    }),
  }));
  const changes = (draft: SliceDraft): number => Number(sameJson(draft.slice?.endpoints, draft.endpoints));
  const withRoom = drafts.filter((draft) => draft.endpoints.length < ENDPOINTS_MAX);
  withRoom.sort((a, b) => changes(a) - changes(b) || b.endpoints.length - a.endpoints.length);
  const rest = [...missing.values()];
  for (const draft of withRoom) draft.endpoints.push(...rest.splice(0, ENDPOINTS_MAX - draft.endpoints.length));
  while (rest.length > 0) drafts.push({ slice: undefined, endpoints: rest.splice(0, ENDPOINTS_MAX) });
  if (drafts.length === 0) return [{ slice: undefined, endpoints: [] }];
  const filled = drafts.filter((draft) => draft.endpoints.length > 0);
  return filled.length > 0 ? filled : drafts.slice(0, 1);
}

function writeOf(
  service: ServiceRef,
  addressType: EndpointSliceObject["addressType"],
  { slice, endpoints, ports }: SliceDraft & { ports: readonly EndpointPort[] },
  context: Context,
): Write | undefined {
  const labels = labelsOf(service);
  if (slice) {
    const hasSamePorts = portsKey((slice.ports ?? []) as Partial<EndpointPort>[]) === portsKey(ports);
    if (sameJson(slice.endpoints, endpoints) && sameJson(slice.metadata.labels, labels) && hasSamePorts)
      return undefined;
    return {
      op: "update",
      kind: EndpointSlice,
      object: {
        ...slice,
        metadata: { ...slice.metadata, labels },
        endpoints,
        ports: hasSamePorts ? slice.ports : [...ports],
      } as EndpointSliceObject,
    };
  }
  const generateName = `${service.metadata.name}-`;
  return {
    op: "create",
    kind: EndpointSlice,
    object: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: generatedName(generateName, context.suffix()),
        generateName,
        namespace: context.namespace,
        labels,
        ownerReferences: [controllerReference(service, Service)],
      },
      addressType,
      endpoints,
      ports: [...ports],
    },
  };
}

/** The Service's own, and those by which kube-proxy and others find the slice. */
function labelsOf(service: ServiceRef): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }),
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
  };
}
