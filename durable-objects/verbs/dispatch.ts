import { methodNotAllowed } from "../../api/status.ts";
import type { Target, Verb } from "../protocol.ts";
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

/** What carries out a verb on a target. @throws ApiError NotFound or MethodNotAllowed where nothing does. */
export function verbFunction(served: Served, verb: Verb, target: Target): VerbFunction {
  const { verbs } = target.subresource ? subresourceOf(served, target) : served.info;
  const run = target.subresource ? SUBRESOURCES[target.subresource]?.[verb] : VERBS[verb];
  if (!run || !verbs.includes(verb)) throw methodNotAllowed();
  return run;
}
