/** FlowSchemaSpec of flowcontrol.apiserver.k8s.io/v1. */
export interface FlowSchemaSpec {
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly matchingPrecedence?: number;
  readonly distinguisherMethod?: { readonly type?: string };
  readonly rules?: readonly {
    readonly subjects?: readonly {
      readonly kind?: string;
      readonly user?: { readonly name?: string };
      readonly group?: { readonly name?: string };
      readonly serviceAccount?: { readonly name?: string; readonly namespace?: string };
    }[];
    readonly resourceRules?: readonly {
      readonly verbs?: readonly string[];
      readonly apiGroups?: readonly string[];
      readonly resources?: readonly string[];
      readonly namespaces?: readonly string[];
      readonly clusterScope?: boolean;
    }[];
    readonly nonResourceRules?: readonly {
      readonly verbs?: readonly string[];
      readonly nonResourceURLs?: readonly string[];
    }[];
  }[];
}

/** PriorityLevelConfigurationSpec of flowcontrol.apiserver.k8s.io/v1, with its defaults. */
export interface PriorityLevelSpec {
  readonly type?: string;
  readonly limited?: {
    readonly nominalConcurrencyShares?: number;
    readonly lendablePercent?: number;
    /** None: no bound. */
    readonly borrowingLimitPercent?: number;
    readonly limitResponse?: {
      readonly type?: string;
      readonly queuing?: { readonly queues?: number; readonly handSize?: number; readonly queueLengthLimit?: number };
    };
  };
  readonly exempt?: { readonly nominalConcurrencyShares?: number; readonly lendablePercent?: number };
}
