import { matchesTerm, type NodeSelectorTerm } from "../node-selector.ts";
import { type Candidate, FITS, type PodDecision, type SchedulerPlugin, unfit } from "../plugin.ts";

const NO_MATCH = unfit("node(s) didn't match Pod's node affinity/selector");

/** spec.nodeSelector and spec.affinity.nodeAffinity: required terms filter, preferred ones score by their weights. */
export const nodeAffinity: SchedulerPlugin = {
  name: "NodeAffinity",
  weight: 2,
  forPod({ spec }) {
    const selector = Object.entries<string>(spec.nodeSelector ?? {});
    const affinity = spec.affinity?.nodeAffinity;
    const terms: NodeSelectorTerm[] | undefined =
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    const preferred: { weight: number; preference: NodeSelectorTerm }[] =
      affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (selector.length === 0 && !terms && preferred.length === 0) return undefined;

    const decision: PodDecision = {
      filter({ node }) {
        for (const [key, value] of selector) if (node.labels[key] !== value) return NO_MATCH;
        return !terms || terms.some((term) => matchesTerm(term, node)) ? FITS : NO_MATCH;
      },
    };
    if (preferred.length > 0) {
      decision.fixed = "highest";
      decision.score = ({ node }: Candidate) =>
        preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node, true) ? weight : 0), 0);
    }
    const only = terms && nodesNamed(terms);
    if (only?.size === 0) decision.never = "pod affinity terms conflict";
    else if (only) decision.only = only;
    return decision;
  },
};

/** The nodes that required terms name by metadata.name, if all of them do. */
function nodesNamed(terms: NodeSelectorTerm[]): Set<string> | undefined {
  const names = new Set<string>();
  if (terms.length === 0) return undefined;
  for (const { matchFields } of terms) {
    let named: Set<string> | undefined;
    for (const { key, operator, values } of matchFields ?? []) {
      if (key !== "metadata.name" || operator !== "In") continue;
      const before = named;
      named = new Set(before ? values?.filter((value) => before.has(value)) : values);
    }
    if (!named) return undefined;
    for (const name of named) names.add(name);
  }
  return names;
}
