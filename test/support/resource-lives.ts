/** The resources whose lives are the same: created, read, listed, watched, patched, updated, deleted. */

type Fields = Record<string, any>;

/** One resource, and what its conformance test wants of it. */
export interface Life {
  /** The conformance test's name. */
  entry: string;
  /** Below which the resource is: `/apis/apps/v1`. */
  root: string;
  resource: string;
  /** Absent: cluster-scoped. */
  namespaced?: boolean;
  object: Fields;
  /** Fields of the status to be patched by its own subresource. */
  status?: Fields;
  /** What is asserted of the object that was created. */
  created?: Fields;
  /** Where names are not free. */
  names?: [string, string, string];
}

export const POD_SPEC = { containers: [{ name: "c", image: "busybox" }] };
const MATCH = {
  resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["daemonsets"] }],
};
export const CONDITION = { type: "Tested", status: "True", reason: "Test", message: "set by a test" };
export const TIMED = { ...CONDITION, lastTransitionTime: "2026-01-01T00:00:00Z" };
const DEVICE_REQUEST = { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus.example.com" } }] } };
const FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1";
export const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const NETWORKING = "/apis/networking.k8s.io/v1";
const STORAGE = "/apis/storage.k8s.io/v1";
const DEVICES = "/apis/resource.k8s.io/v1";
const WEBHOOK = {
  name: "life.example.com",
  clientConfig: { url: "https://127.0.0.1:1/never" },
  rules: [{ apiGroups: ["berths.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["berths"] }],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};

export const LIVES: readonly Life[] = [
  {
    entry: "Priority and Fairness FlowSchema API",
    root: FLOW,
    resource: "flowschemas",
    object: {
      spec: {
        matchingPrecedence: 9999,
        priorityLevelConfiguration: { name: "global-default" },
        rules: [
          {
            subjects: [{ kind: "User", user: { name: "nobody" } }],
            nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/never"] }],
          },
        ],
      },
    },
    status: { conditions: [TIMED] },
  },
  {
    entry: "Priority and Fairness PriorityLevelConfiguration API",
    root: FLOW,
    resource: "prioritylevelconfigurations",
    object: {
      spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } },
    },
    status: { conditions: [TIMED] },
  },
  {
    entry: "MutatingAdmissionPolicy API",
    root: ADMISSION,
    resource: "mutatingadmissionpolicies",
    object: {
      spec: {
        matchConstraints: MATCH,
        reinvocationPolicy: "Never",
        mutations: [
          {
            patchType: "ApplyConfiguration",
            applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: {'a': 'b'}}}" },
          },
        ],
      },
    },
  },
  {
    entry: "MutatingAdmissionPolicyBinding API",
    root: ADMISSION,
    resource: "mutatingadmissionpolicybindings",
    object: { spec: { policyName: "nobody.example.com" } },
  },
  {
    entry: "ValidatingAdmissionPolicy API",
    root: ADMISSION,
    resource: "validatingadmissionpolicies",
    object: { spec: { matchConstraints: MATCH, validations: [{ expression: "true" }] } },
    status: { conditions: [TIMED] },
  },
  {
    entry: "ValidatingadmissionPolicyBinding API",
    root: ADMISSION,
    resource: "validatingadmissionpolicybindings",
    object: { spec: { policyName: "nobody.example.com", validationActions: ["Deny"] } },
  },
  {
    entry: "Admission webhook configurations",
    root: ADMISSION,
    resource: "validatingwebhookconfigurations",
    object: { webhooks: [WEBHOOK] },
  },
  {
    entry: "ResourceQuota, manage lifecycle of a ResourceQuota",
    root: "/api/v1",
    resource: "resourcequotas",
    namespaced: true,
    object: { spec: { hard: { pods: "10" } } },
    status: { hard: { pods: "10" }, used: { pods: "0" } },
  },
  {
    entry: "CronJob API Operations",
    root: "/apis/batch/v1",
    resource: "cronjobs",
    namespaced: true,
    object: {
      spec: {
        schedule: "0 0 1 1 *",
        suspend: true,
        jobTemplate: { spec: { template: { spec: { ...POD_SPEC, restartPolicy: "Never" } } } },
      },
    },
    status: { lastScheduleTime: "2026-01-01T00:00:00Z" },
  },
  {
    entry: "ServiceAccount lifecycle test",
    root: "/api/v1",
    resource: "serviceaccounts",
    namespaced: true,
    object: { automountServiceAccountToken: false },
  },
  {
    entry: "New Event resource lifecycle, testing a single event",
    root: "/apis/events.k8s.io/v1",
    resource: "events",
    namespaced: true,
    object: {
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "example.com/controller",
      reportingInstance: "one",
      action: "Act",
      reason: "Because",
      type: "Normal",
      note: "a note",
      regarding: { namespace: "life" },
    },
  },
  {
    entry: "Event, manage lifecycle of an Event",
    root: "/api/v1",
    resource: "events",
    namespaced: true,
    object: { involvedObject: { namespace: "life" }, reason: "Because", message: "a message", type: "Normal" },
    // Those of the newer API are the same events.
    names: ["core-a", "core-b", "core-c"],
  },
  {
    entry: "EndpointSlice API",
    root: "/apis/discovery.k8s.io/v1",
    resource: "endpointslices",
    namespaced: true,
    object: { addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"] }] },
  },
  {
    entry: "Endpoint resource lifecycle",
    root: "/api/v1",
    resource: "endpoints",
    namespaced: true,
    object: { subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80 }] }] },
  },
  {
    entry: "Ingress API",
    root: NETWORKING,
    resource: "ingresses",
    namespaced: true,
    object: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
    status: { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } },
  },
  {
    entry: "IngressClass API",
    root: NETWORKING,
    resource: "ingressclasses",
    object: { spec: { controller: "example.com/controller" } },
  },
  {
    entry: "IPAddress API",
    root: NETWORKING,
    resource: "ipaddresses",
    object: { spec: { parentRef: { resource: "services", name: "a", namespace: "life" } } },
    names: ["192.168.1.1", "192.168.1.2", "2001:db8::1"],
  },
  {
    entry: "ServiceCIDR API",
    root: NETWORKING,
    resource: "servicecidrs",
    object: { spec: { cidrs: ["192.168.0.0/24"] } },
    status: { conditions: [TIMED] },
  },
  {
    entry: "Service, complete ServiceStatus lifecycle",
    root: "/api/v1",
    resource: "services",
    namespaced: true,
    object: { spec: { clusterIP: "None", ports: [{ name: "http", port: 80 }] } },
    status: { conditions: [TIMED] },
  },
  {
    entry: "ConfigMap lifecycle",
    root: "/api/v1",
    resource: "configmaps",
    namespaced: true,
    object: { data: { a: "1" } },
  },
  {
    entry: "lease API should be available",
    root: "/apis/coordination.k8s.io/v1",
    resource: "leases",
    namespaced: true,
    object: { spec: { holderIdentity: "one", leaseDurationSeconds: 30, renewTime: "2026-01-01T00:00:00.000000Z" } },
  },
  {
    entry: "Node, resource lifecycle",
    root: "/api/v1",
    resource: "nodes",
    object: { spec: { unschedulable: true } },
    status: { conditions: [{ ...TIMED, lastHeartbeatTime: "2026-01-01T00:00:00Z" }] },
  },
  {
    entry: "PodTemplate lifecycle",
    root: "/api/v1",
    resource: "podtemplates",
    namespaced: true,
    object: { template: { spec: POD_SPEC } },
    created: { template: { spec: { restartPolicy: "Always", dnsPolicy: "ClusterFirst" } } },
  },
  {
    entry: "RuntimeClass API",
    root: "/apis/node.k8s.io/v1",
    resource: "runtimeclasses",
    object: { handler: "runc" },
  },
  {
    entry: "Secret patching",
    root: "/api/v1",
    resource: "secrets",
    namespaced: true,
    object: { data: { a: "YQ==" } },
    created: { type: "Opaque" },
  },
  {
    entry: "CRUD operations for deviceclasses",
    root: DEVICES,
    resource: "deviceclasses",
    object: { spec: { selectors: [{ cel: { expression: "true" } }] } },
  },
  {
    entry: "CRUD operations for resourceclaims",
    root: DEVICES,
    resource: "resourceclaims",
    namespaced: true,
    object: { spec: DEVICE_REQUEST },
    status: { devices: [] },
    created: { spec: { devices: { requests: [{ exactly: { allocationMode: "ExactCount", count: 1 } }] } } },
  },
  {
    entry: "CRUD operations for resourceclaimtemplates",
    root: DEVICES,
    resource: "resourceclaimtemplates",
    namespaced: true,
    object: { spec: { spec: DEVICE_REQUEST } },
  },
  {
    entry: "CRUD operations for resoureslices",
    root: DEVICES,
    resource: "resourceslices",
    object: {
      spec: {
        driver: "gpu.example.com",
        nodeName: "nowhere",
        pool: { name: "pool", generation: 1, resourceSliceCount: 1 },
        devices: [{ name: "gpu-0" }],
      },
    },
  },
  {
    entry: "LimitRange, list, patch and delete a LimitRange by collection",
    root: "/api/v1",
    resource: "limitranges",
    namespaced: true,
    object: { spec: { limits: [{ type: "Container", defaultRequest: { cpu: "50m" }, default: { cpu: "500m" } }] } },
  },
  {
    entry: "Scheduler, Verify PriorityClass endpoints",
    root: "/apis/scheduling.k8s.io/v1",
    resource: "priorityclasses",
    object: { value: 1000 },
  },
  {
    entry: "CSIDriver, lifecycle",
    root: STORAGE,
    resource: "csidrivers",
    object: { spec: { attachRequired: false } },
    created: { spec: { podInfoOnMount: false, volumeLifecycleModes: ["Persistent"] } },
  },
  { entry: "CSINode, lifecycle", root: STORAGE, resource: "csinodes", object: { spec: { drivers: [] } } },
  {
    entry: "CSIStorageCapacity API",
    root: STORAGE,
    resource: "csistoragecapacities",
    namespaced: true,
    object: { storageClassName: "fast", capacity: "1Gi" },
  },
  {
    entry: "PersistentVolumes(Claims), lifecycle",
    root: "/api/v1",
    resource: "persistentvolumeclaims",
    namespaced: true,
    object: {
      spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    },
    status: { conditions: [TIMED] },
    created: { spec: { volumeMode: "Filesystem" }, status: { phase: "Pending" } },
  },
  {
    entry: "PersistentVolumes(Claims), apply changes to a pv/pvc status",
    root: "/api/v1",
    resource: "persistentvolumes",
    object: {
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
        storageClassName: "none",
        csi: { driver: "csi.example.com", volumeHandle: "h" },
      },
    },
    status: { message: "set by a test", reason: "Test" },
    created: { spec: { persistentVolumeReclaimPolicy: "Retain" }, status: { phase: "Pending" } },
  },
  {
    entry: "StorageClass, lifecycle",
    root: STORAGE,
    resource: "storageclasses",
    object: { provisioner: "example.com/provisioner" },
    created: { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
  },
  {
    entry: "VolumeAttachment, lifecycle",
    root: STORAGE,
    resource: "volumeattachments",
    object: { spec: { attacher: "csi.example.com", nodeName: "nowhere", source: { persistentVolumeName: "pv" } } },
    status: { attached: true },
  },
  {
    entry: "VolumeAttributesClass, lifecycle",
    root: STORAGE,
    resource: "volumeattributesclasses",
    object: { driverName: "csi.example.com", parameters: { iops: "1000" } },
  },
];
