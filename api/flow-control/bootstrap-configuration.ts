import type { FlowSchemaSpec, PriorityLevelSpec } from "./specs.ts";

/** An object of priority and fairness that every cluster has (k8s.io/apiserver pkg/apis/flowcontrol/bootstrap). */
export interface BootstrapObject<Spec> {
  readonly name: string;
  /** Nobody may change it: without it some requests would have no place. */
  readonly isMandatory: boolean;
  /** With all defaults. */
  readonly spec: Spec;
}

export const EXEMPT = "exempt";
export const CATCH_ALL = "catch-all";
/** Of an object that follows the bootstrap's specification ("true"), or is its administrator's ("false"). */
export const AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec";

const QUEUE_LENGTH = 50;

const level = (name: string, spec: PriorityLevelSpec, isMandatory = false): BootstrapObject<PriorityLevelSpec> => ({
  name,
  isMandatory,
  spec,
});

const queued = (name: string, shares: number, lendablePercent: number, queues: number, handSize: number) =>
  level(name, {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent,
      limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: QUEUE_LENGTH } },
    },
  });

export const BOOTSTRAP_LEVELS: readonly BootstrapObject<PriorityLevelSpec>[] = [
  level(EXEMPT, { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }, true),
  level(
    CATCH_ALL,
    {
      type: "Limited",
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
    },
    true,
  ),
  queued("system", 30, 33, 64, 6),
  queued("node-high", 40, 25, 64, 6),
  queued("leader-election", 10, 0, 16, 4),
  queued("workload-high", 40, 50, 128, 6),
  queued("workload-low", 100, 90, 128, 6),
  queued("global-default", 20, 50, 128, 6),
];

type Rule = NonNullable<FlowSchemaSpec["rules"]>[number];
type Subjects = NonNullable<Rule["subjects"]>;

const ALL = ["*"];
const EVERYTHING: Omit<Rule, "subjects"> = {
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL, namespaces: ALL, clusterScope: true }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
};
const groups = (...names: string[]): Subjects => names.map((name) => ({ kind: "Group", group: { name } }));
const users = (...names: string[]): Subjects => names.map((name) => ({ kind: "User", user: { name } }));

const EVERYBODY = groups("system:unauthenticated", "system:authenticated");
const NODES = groups("system:nodes");
const KUBE_SYSTEM: Subjects = [{ kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "kube-system" } }];
const [CONTROLLER_MANAGER, SCHEDULER] = ["system:kube-controller-manager", "system:kube-scheduler"] as const;

interface SchemaOptions {
  level: string;
  precedence: number;
  by?: "ByUser" | "ByNamespace";
  isMandatory?: boolean;
}

const schema = (
  name: string,
  { level: levelName, precedence, by, isMandatory = false }: SchemaOptions,
  rule: Rule,
): BootstrapObject<FlowSchemaSpec> => ({
  name,
  isMandatory,
  spec: {
    priorityLevelConfiguration: { name: levelName },
    matchingPrecedence: precedence,
    ...(by && { distinguisherMethod: { type: by } }),
    rules: [rule],
  },
});

const LEASES = { apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: ALL };

/** In the order in which they match. */
export const BOOTSTRAP_SCHEMAS: readonly BootstrapObject<FlowSchemaSpec>[] = [
  schema(
    EXEMPT,
    { level: EXEMPT, precedence: 1, isMandatory: true },
    { subjects: groups("system:masters"), ...EVERYTHING },
  ),
  schema(
    "probes",
    { level: EXEMPT, precedence: 2 },
    { subjects: EVERYBODY, nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }] },
  ),
  schema(
    "system-leader-election",
    { level: "leader-election", precedence: 100, by: "ByUser" },
    {
      subjects: [...users(CONTROLLER_MANAGER, SCHEDULER), ...KUBE_SYSTEM],
      resourceRules: [{ verbs: ["get", "create", "update"], ...LEASES }],
    },
  ),
  schema(
    "system-node-high",
    { level: "node-high", precedence: 400, by: "ByUser" },
    {
      subjects: NODES,
      resourceRules: [
        { verbs: ALL, apiGroups: [""], resources: ["nodes", "nodes/status"], namespaces: ALL, clusterScope: true },
        { verbs: ALL, ...LEASES },
      ],
    },
  ),
  schema("system-nodes", { level: "system", precedence: 500, by: "ByUser" }, { subjects: NODES, ...EVERYTHING }),
  schema(
    "kube-controller-manager",
    { level: "workload-high", precedence: 800, by: "ByNamespace" },
    { subjects: users(CONTROLLER_MANAGER), ...EVERYTHING },
  ),
  schema(
    "kube-scheduler",
    { level: "workload-high", precedence: 800, by: "ByNamespace" },
    { subjects: users(SCHEDULER), ...EVERYTHING },
  ),
  schema(
    "kube-system-service-accounts",
    { level: "workload-high", precedence: 900, by: "ByNamespace" },
    { subjects: KUBE_SYSTEM, ...EVERYTHING },
  ),
  schema(
    "service-accounts",
    { level: "workload-low", precedence: 9000, by: "ByUser" },
    { subjects: groups("system:serviceaccounts"), ...EVERYTHING },
  ),
  schema(
    "global-default",
    { level: "global-default", precedence: 9900, by: "ByUser" },
    { subjects: EVERYBODY, ...EVERYTHING },
  ),
  schema(
    CATCH_ALL,
    { level: CATCH_ALL, precedence: 10_000, by: "ByUser", isMandatory: true },
    { subjects: EVERYBODY, ...EVERYTHING },
  ),
];
