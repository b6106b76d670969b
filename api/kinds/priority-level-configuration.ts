import { checkSupported } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import { type FieldPath, SPEC } from "../field-path.ts";
import type { Column } from "../kind.ts";
import type { KubeObject } from "../object.ts";
import { defineKind } from "./define-kind.ts";
import { validateConditions } from "./flow-schema-validation.ts";
import { keepStatus, startStatus } from "./status.ts";

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
      borrowingLimitPercent?: number;
      limitResponse?: { type?: string; queuing?: Queuing };
    };
    exempt?: { nominalConcurrencyShares?: number; lendablePercent?: number };
  };
}

const SHARES = 30;
const EXEMPT = "exempt";
const QUEUES_MAX = 10_000_000;
/** Of the hash that deals a flow its queues. */
const HASH_BITS_MAX = 60;
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
    prepareForCreate: startStatus({}),
    prepareForUpdate: keepStatus,
    validate({ metadata, spec = {} }) {
      const errors: FieldError[] = [];
      const { type = "", limited, exempt } = spec;
      const typeAt = SPEC.child("type");
      if ((metadata.name === EXEMPT) !== (type === "Exempt")) {
        errors.push(fieldInvalid(typeAt, type, "must be 'Exempt' if and only if `name` is 'exempt'"));
      }
      if (type === "Exempt") {
        const why = "must be nil if the type is not Limited";
        if (limited) errors.push(fieldForbidden(SPEC.child("limited"), why));
        if (exempt) validateShares(exempt, SPEC.child("exempt"), errors);
      } else if (type === "Limited") {
        if (exempt) errors.push(fieldForbidden(SPEC.child("exempt"), "must be nil if the type is Limited"));
        if (limited) validateLimited(limited, SPEC.child("limited"), errors);
        else errors.push(fieldRequired(SPEC.child("limited"), "must not be empty when type is Limited"));
      } else checkSupported(type, ["Exempt", "Limited"], typeAt, errors);
      return errors;
    },
    validateStatusUpdate: ({ status }) => validateConditions(status),
    hasGeneration: true,
  },
);

type Limited = NonNullable<PriorityLevelConfigurationObject["spec"]["limited"]>;

function validateShares(
  { nominalConcurrencyShares = 0, lendablePercent = 0 }: Pick<Limited, "nominalConcurrencyShares" | "lendablePercent">,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (nominalConcurrencyShares < 0) {
    const at = path.child("nominalConcurrencyShares");
    errors.push(fieldInvalid(at, nominalConcurrencyShares, "must be a non-negative integer"));
  }
  if (lendablePercent < 0 || lendablePercent > 100) {
    errors.push(fieldInvalid(path.child("lendablePercent"), lendablePercent, "must be between 0 and 100, inclusive"));
  }
}

function validateLimited(limited: Limited, path: FieldPath, errors: FieldError[]): void {
  validateShares(limited, path, errors);
  const { limitResponse = {}, borrowingLimitPercent = 0 } = limited;
  const at = path.child("limitResponse");
  const { type = "", queuing } = limitResponse;
  if (type === "Reject") {
    const why = "must be nil if limited.limitResponse.type is not Limited";
    if (queuing) errors.push(fieldForbidden(at.child("queuing"), why));
  } else if (type === "Queue") {
    if (queuing) validateQueuing(queuing, at.child("queuing"), errors);
    else errors.push(fieldRequired(at.child("queuing"), "must not be empty if limited.limitResponse.type is Limited"));
  } else checkSupported(type, ["Queue", "Reject"], at.child("type"), errors);
  if (borrowingLimitPercent < 0) {
    const why = "if specified, must be a non-negative integer";
    errors.push(fieldInvalid(path.child("borrowingLimitPercent"), borrowingLimitPercent, why));
  }
}

function validateQueuing(queuing: Queuing, path: FieldPath, errors: FieldError[]): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const wrong = (field: keyof Queuing, why: string) =>
    errors.push(fieldInvalid(path.child(field), queuing[field], why));
  if (queueLengthLimit <= 0) wrong("queueLengthLimit", "must be positive");
  if (queues <= 0) wrong("queues", "must be positive");
  else if (queues > QUEUES_MAX) wrong("queues", `must not be greater than ${QUEUES_MAX}`);
  if (handSize <= 0) wrong("handSize", "must be positive");
  else if (handSize > queues) wrong("handSize", `should not be greater than queues (${queues})`);
  else if (Math.ceil(Math.log2(queues) * handSize) > HASH_BITS_MAX) {
    const sizes = `deckSize ${queues} and handSize ${handSize}`;
    wrong("handSize", `required entropy bits of ${sizes} should not be greater than ${HASH_BITS_MAX}`);
  }
}
