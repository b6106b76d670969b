import { sameJson } from "../../api/equality.ts";
import { Endpoints, type EndpointsObject } from "../../api/kinds/endpoints.ts";
import type { PodObject } from "../../api/kinds/pod.ts";
import { Service, type ServiceObject } from "../../api/kinds/service.ts";
import { defineController, type View } from "./controller.ts";
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

/** Addresses in one Endpoints object, as upstream; what is beyond is in the EndpointSlices alone. */
export const ADDRESSES_MAX = 1_000;

const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";
const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";

type Subset = NonNullable<EndpointsObject["subsets"]>[number];
type Address = NonNullable<Subset["addresses"]>[number];

/** Lists, for each Service with a selector, the pods behind it in the Endpoints object of its name (the older form). */
export const endpoints = defineController<ServiceObject>({
  name: "endpoint-controller",
  for: Service,
  watches: [
    podWatch,
    {
      kind: Endpoints,
      concerns: ({ metadata }, _previous, view) => (view.get(Service, metadata.name) ? [metadata.name] : []),
    },
  ],

  reconcile(service, view, context) {
    if (!isManaged(service) || service.metadata.deletionTimestamp || context.terminating) return { writes: [] };
    const { subsets, isCut } = subsetsOf(service, view);
    const { name } = service.metadata;
    const known = view.get(Endpoints, name);
    const { [HEADLESS_LABEL]: _, ...own } = service.metadata.labels ?? {};
    const labels = { ...own, ...(isHeadless(service) && { [HEADLESS_LABEL]: "" }), [MANAGED_BY]: MANAGER };
    const { [OVER_CAPACITY]: __, ...others } = known?.metadata.annotations ?? {};
    const annotations = isCut ? { ...others, [OVER_CAPACITY]: "truncated" } : others;
    if (!known)
      return {
        writes: [
          {
            op: "create",
            kind: Endpoints,
            object: {
              apiVersion: "v1",
              kind: "Endpoints",
              metadata: { name, namespace: context.namespace, labels, ...(isCut && { annotations }) },
              ...(subsets.length > 0 && { subsets }),
            },
          },
        ],
      };
    const isSame =
      sameJson(known.subsets, subsets) &&
      sameJson(known.metadata.labels, labels) &&
      sameJson(known.metadata.annotations, annotations);
    if (isSame) return { writes: [] };
    const { subsets: _before, ...rest } = known;
    const metadata = { ...known.metadata, labels, annotations };
    const object = { ...rest, metadata, ...(subsets.length > 0 && { subsets }) };
    return { writes: [{ op: "update", kind: Endpoints, object }] };
  },

  /** The Service is gone; its Endpoints have no owner reference. */
  forget(name, view) {
    return { writes: view.get(Endpoints, name) ? [{ op: "delete", kind: Endpoints, name }] : [] };
  },
});

function subsetsOf(service: Readonly<ServiceObject>, view: View): { subsets: Subset[]; isCut: boolean } {
  const everyone = Boolean(service.spec.publishNotReadyAddresses);
  const groups = new Map<string, { ports: EndpointPort[]; addresses: Address[]; notReadyAddresses: Address[] }>();
  // Those that serve first, where not all find room.
  const pods = podsOf(service, view)
    .filter((pod) => everyone || !isTerminating(pod))
    .sort((a, b) => Number(isReady(b)) - Number(isReady(a)));
  for (const pod of pods.slice(0, ADDRESSES_MAX)) {
    const ports = portsOf(service, pod);
    // Without a port to reach it by, an address is of use to a headless Service alone.
    if (ports.length === 0 && !isHeadless(service)) continue;
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, addresses: [], notReadyAddresses: [] };
    groups.set(key, group);
    (everyone || isReady(pod) ? group.addresses : group.notReadyAddresses).push(addressOf(service, pod));
  }
  const subsets = [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, addresses, notReadyAddresses }]) => ({
      ...(addresses.length > 0 && { addresses: addresses.sort(byAddress) }),
      ...(notReadyAddresses.length > 0 && { notReadyAddresses: notReadyAddresses.sort(byAddress) }),
      ...(ports.length > 0 && { ports: ports.map(({ name, ...port }) => ({ ...(name && { name }), ...port })) }),
    }));
  return { subsets: subsets as Subset[], isCut: pods.length > ADDRESSES_MAX };
}

function addressOf(service: Readonly<ServiceObject>, pod: Readonly<PodObject>): Address {
  const hostname = hostnameIn(service, pod);
  return {
    ip: pod.status?.podIP ?? "",
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetOf(pod),
  };
}

const byAddress = (a: Address, b: Address): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);
