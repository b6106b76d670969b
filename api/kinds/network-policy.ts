import type { INetworkPolicySpec } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicySpec";
import { checkPort, checkPortOrName, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import { checkCidr, contains, parseCidr } from "../ip.ts";
import type { KubeObject } from "../object.ts";
import { formatLabelSelector, type LabelSelector, validateLabelSelector } from "../selector.ts";
import { defineKind } from "./define-kind.ts";

export interface NetworkPolicyObject extends KubeObject {
  spec: INetworkPolicySpec;
}

interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}
interface Port {
  protocol?: string;
  port?: string | number;
  endPort?: number;
}

/** Who may talk to certain pods, and whom they may talk to. */
export const NetworkPolicy = defineKind<NetworkPolicyObject>("networking.k8s.io/v1", "NetworkPolicy", {
  resource: "networkpolicies",
  columns: [
    {
      name: "Pod-Selector",
      description: "Label selector of the pods concerned.",
      value: ({ spec }) => formatLabelSelector(spec?.podSelector ?? {}),
    },
  ],
  setDefaults(policy) {
    policy.spec ??= { podSelector: {} };
    const { spec } = policy;
    spec.podSelector ??= {};
    spec.policyTypes ??= spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of ports ?? []) port.protocol ??= "TCP";
    }
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    validateLabelSelector(spec.podSelector, SPEC.child("podSelector"), errors);
    spec.ingress?.forEach((rule, i) => {
      validateRule(rule.ports, rule.from, "from", SPEC.child("ingress").index(i), errors);
    });
    spec.egress?.forEach((rule, i) => {
      validateRule(rule.ports, rule.to, "to", SPEC.child("egress").index(i), errors);
    });
    const at = SPEC.child("policyTypes");
    const types = spec.policyTypes ?? [];
    if (types.length > 2) errors.push(fieldInvalid(at, types, "may not specify more than two policyTypes"));
    else {
      types.forEach((type, i) => {
        checkSupported(type, ["Ingress", "Egress"], at.index(i), errors);
      });
    }
    return errors;
  },
  hasGeneration: true,
});

function validateRule(
  ports: readonly Port[] | undefined,
  peers: readonly Peer[] | undefined,
  side: "from" | "to",
  path: FieldPath,
  errors: FieldError[],
): void {
  ports?.forEach((port, i) => {
    const at = path.child("ports").index(i);
    if (typeof port.protocol === "string")
      checkSupported(port.protocol, ["TCP", "UDP", "SCTP"], at.child("protocol"), errors);
    if (port.port !== undefined && port.port !== null) checkPortOrName(port.port, at.child("port"), errors);
    if (typeof port.endPort !== "number") return;
    if (typeof port.port === "string") {
      errors.push(fieldInvalid(at.child("endPort"), port.endPort, "may not be specified when `port` is non-numeric"));
    } else if (port.port === undefined || port.port === null) {
      errors.push(fieldInvalid(at.child("endPort"), port.endPort, "may not be specified when `port` is not specified"));
    } else {
      // The value shown is upstream's.
      const why = "must be greater than or equal to `port`";
      if (port.endPort < port.port) errors.push(fieldInvalid(at.child("endPort"), port.port, why));
      checkPort(port.endPort, at.child("endPort"), errors);
    }
  });
  peers?.forEach((peer, i) => {
    const at = path.child(side).index(i);
    validateLabelSelector(peer.podSelector, at.child("podSelector"), errors);
    validateLabelSelector(peer.namespaceSelector, at.child("namespaceSelector"), errors);
    if (peer.ipBlock) validateBlock(peer.ipBlock, at.child("ipBlock"), errors);
    const selects = peer.podSelector || peer.namespaceSelector;
    if (!selects && !peer.ipBlock) errors.push(fieldRequired(at, "must specify a peer"));
    else if (selects && peer.ipBlock) {
      errors.push(fieldForbidden(at, "may not specify both ipBlock and another peer"));
    }
  });
}

function validateBlock({ cidr, except }: NonNullable<Peer["ipBlock"]>, path: FieldPath, errors: FieldError[]): void {
  if (!cidr) {
    errors.push(fieldRequired(path.child("cidr")));
    return;
  }
  const block = checkCidr(cidr, path.child("cidr"), errors);
  except?.forEach((inner, i) => {
    const at = path.child("except").index(i);
    checkCidr(inner, at, errors);
    const parsed = parseCidr(inner);
    if (!block || !parsed) return;
    if (!contains(block, parsed.ip) || parsed.prefix <= block.prefix) {
      errors.push(fieldInvalid(at, inner, `must be a strict subset of \`cidr\``));
    }
  });
}
