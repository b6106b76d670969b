import type { Verb } from "../protocol.ts";
import { createBinding } from "./binding.ts";
import { connect } from "./connect.ts";
import { createEviction } from "./eviction.ts";
import { FINALIZE } from "./finalize.ts";
import { get } from "./get.ts";
import { partialUpdate } from "./partial-update.ts";
import { patch } from "./patch.ts";
import { getScale, patchScale, updateScale } from "./scale.ts";
import { STATUS, update } from "./update.ts";
import type { VerbFunction } from "./write.ts";

const partial = (subresource: string): Partial<Record<Verb, VerbFunction>> => {
  const strategy = partialUpdate(subresource);
  return { get, update: (call) => update(call, strategy), patch: (call) => patch(call, strategy) };
};

/** What carries out verbs on subresources, by the subresource's name. Which resource has which, the kinds' table says. */
export const SUBRESOURCES: Readonly<Record<string, Partial<Record<Verb, VerbFunction>>>> = {
  status: { get, update: (call) => update(call, STATUS), patch: (call) => patch(call, STATUS) },
  scale: { get: getScale, update: updateScale, patch: patchScale },
  ephemeralcontainers: partial("ephemeralcontainers"),
  resize: partial("resize"),
  approval: partial("approval"),
  binding: { create: createBinding },
  eviction: { create: createEviction },
  // Served by the pod's node: the home says whether the user may, and answers with the pod.
  log: { get },
  exec: { get: connect, create: connect },
  attach: { get: connect, create: connect },
  portforward: { get: connect, create: connect },
  proxy: { get: connect, create: connect, update: connect, patch: connect, delete: connect },
  finalize: { update: (call) => update(call, FINALIZE) },
};
