import { methodNotAllowed } from "../../api/status.ts";
import type { Target, Verb } from "../protocol.ts";
import { createBinding } from "./binding.ts";
import { create } from "./create.ts";
import { deleteOne } from "./delete.ts";
import { deleteCollection } from "./delete-collection.ts";
import { get } from "./get.ts";
import { list } from "./list.ts";
import { patch } from "./patch.ts";
import { type Served, subresourceOf } from "./served.ts";
import { SUBRESOURCES } from "./subresources.ts";
import { update } from "./update.ts";
import type { VerbFunction } from "./write.ts";

const VERBS: Record<Verb, VerbFunction> = {
  get,
  list,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
};

/** Resources of which nothing is kept. */
const UNSTORED: Readonly<Record<string, Partial<Record<Verb, VerbFunction>>>> = { bindings: { create: createBinding } };

/** What carries out a verb on a target. @throws ApiError NotFound or MethodNotAllowed where nothing does. */
export function verbFunction(served: Served, verb: Verb, target: Target): VerbFunction {
  const { verbs } = target.subresource ? subresourceOf(served, target) : served.info;
  const verbsOf = target.subresource ? SUBRESOURCES[target.subresource] : (UNSTORED[served.resource] ?? VERBS);
  const run = verbsOf?.[verb];
  if (!run || !verbs.includes(verb)) throw methodNotAllowed();
  return run;
}
