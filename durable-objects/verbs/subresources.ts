import type { Verb } from "../protocol.ts";
import { createBinding } from "./binding.ts";
import { createEviction } from "./eviction.ts";
import { FINALIZE } from "./finalize.ts";
import { get } from "./get.ts";
import { patch } from "./patch.ts";
import { getScale, patchScale, updateScale } from "./scale.ts";
import { STATUS, update } from "./update.ts";
import type { VerbFunction } from "./write.ts";

/** What carries out verbs on subresources, by the subresource's name. Which resource has which, the kinds' table says. */
export const SUBRESOURCES: Readonly<Record<string, Partial<Record<Verb, VerbFunction>>>> = {
  status: { get, update: (call) => update(call, STATUS), patch: (call) => patch(call, STATUS) },
  scale: { get: getScale, update: updateScale, patch: patchScale },
  binding: { create: createBinding },
  eviction: { create: createEviction },
  // Served by the pod's node: the home says whether the user may, and answers with the pod.
  log: { get },
  exec: { get, create: get },
  attach: { get, create: get },
  finalize: { update: (call) => update(call, FINALIZE) },
};
