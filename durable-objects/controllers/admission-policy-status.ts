import type { ValidatingPolicyObject } from "../../api/admission/policies.ts";
import { type KnownTypes, typeCheck } from "../../api/admission/type-checking.ts";
import { declaredOfBuiltIn } from "../../api/cel/built-in.ts";
import { declaredOfStructural } from "../../api/cel/structural.ts";
import { CustomResourceDefinition } from "../../api/kinds/custom-resource-definition.ts";
import { ValidatingAdmissionPolicy } from "../../api/kinds/validating-admission-policy.ts";
import { findKind } from "../../api/kinds.ts";
import { definitionOf } from "../../api/schema/facts.ts";
import { defineController, type View } from "./controller.ts";

/** Says in a policy's status what its expressions get wrong about the kinds that they are for (upstream's controller of this name). */
export const admissionPolicyStatus = defineController<ValidatingPolicyObject>({
  name: "validatingadmissionpolicy-status",
  for: ValidatingAdmissionPolicy,
  reconcile(policy, view) {
    const { generation = 1 } = policy.metadata;
    if (generation <= (policy.status?.observedGeneration ?? 0)) return { writes: [] };
    const expressionWarnings = typeCheck(policy, typesIn(view));
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {};
    const status = { ...policy.status, observedGeneration: generation, typeChecking };
    const object = { ...structuredClone(policy), status } as ValidatingPolicyObject;
    return { writes: [{ op: "updateStatus", kind: ValidatingAdmissionPolicy, object }] };
  },
});

const typesIn = (view: View): KnownTypes => {
  const custom = (group: string, version: string, isIt: (names: { plural: string; kind: string }) => boolean) => {
    const found = view.list(CustomResourceDefinition).find(({ spec }) => spec.group === group && isIt(spec.names));
    const of = found?.spec.versions.find(({ name, served }) => name === version && served);
    return found && of && { kind: found.spec.names.kind, schema: of.schema?.openAPIV3Schema };
  };
  return {
    kindOf(group, version, resource) {
      const kind =
        findKind(group, version, resource)?.kind ?? custom(group, version, ({ plural }) => plural === resource)?.kind;
      return kind === undefined ? undefined : { group, version, kind };
    },
    declared({ group, version, kind }) {
      const definition = definitionOf(group, version, kind);
      if (definition) return declaredOfBuiltIn({ form: "struct", definition }, kind);
      const schema = custom(group, version, (names) => names.kind === kind)?.schema;
      return schema && declaredOfStructural(schema, { name: kind, isResourceRoot: true });
    },
  };
};
