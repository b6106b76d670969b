import type { Column } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";

interface Queuing {
  queues?: number;
  handSize?: number;
  queueLengthLimit?: number;
}

export interface PriorityLevelConfigurationObject extends KubeObject {
  spec: {
    type?: string;
    limited?: {
      nominalConcurrencyShares?: number;
      lendablePercent?: number;
      limitResponse?: { type?: string; queuing?: Queuing };
    };
    exempt?: { nominalConcurrencyShares?: number; lendablePercent?: number };
  };
}

const SHARES = 30;
const QUEUING = { queues: 64, handSize: 8, queueLengthLimit: 50 };

const queuingColumn = (name: string, field: keyof Queuing): Column<PriorityLevelConfigurationObject> => ({
  name,
  description: "Of the queues, where requests wait in some.",
  value: ({ spec }) => spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>",
});

/** How many requests of one priority may be under way. */
export const PriorityLevelConfiguration = defineKind<PriorityLevelConfigurationObject>(
  "flowcontrol.apiserver.k8s.io/v1",
  "PriorityLevelConfiguration",
  {
    resource: "prioritylevelconfigurations",
    namespaced: false,
    columns: [
      { name: "Type", description: "Limited or Exempt.", value: ({ spec }) => spec?.type ?? "" },
      {
        name: "NominalConcurrencyShares",
        description: "Its share of the server.",
        value: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? "<none>",
      },
      queuingColumn("Queues", "queues"),
      queuingColumn("HandSize", "handSize"),
      queuingColumn("QueueLengthLimit", "queueLengthLimit"),
    ],
    setDefaults({ spec }) {
      const { limited, exempt } = spec ?? {};
      if (exempt) {
        exempt.nominalConcurrencyShares ??= 0;
        exempt.lendablePercent ??= 0;
      }
      if (!limited) return;
      limited.nominalConcurrencyShares ??= SHARES;
      limited.lendablePercent ??= 0;
      const queuing = limited.limitResponse?.queuing;
      if (!queuing) return;
      queuing.queues ||= QUEUING.queues;
      queuing.handSize ||= QUEUING.handSize;
      queuing.queueLengthLimit ||= QUEUING.queueLengthLimit;
    },
    hasGeneration: true,
  },
);
