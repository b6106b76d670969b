import { decodeText } from "../../api/schema/decode.ts";
import { badRequest } from "../../api/status.ts";
import { admitSubresource } from "../admission/admit-subresource.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { deleteObject } from "./delete.ts";
import { deleteOptionsOf } from "./delete-options.ts";
import type { Call } from "./scope.ts";
import { commit } from "./write.ts";

const EVICTION = { group: "policy", version: "v1", kind: "Eviction" };
const SUCCESS = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}';

/** `pods/eviction`: a delete that asks first. */
export async function createEviction(call: Call): Promise<HomeAnswer> {
  const { request, served, options } = call;
  const { object } = decodeText(EVICTION, request.body ?? "", options.fieldValidation);
  const { name } = request.target;
  if (object.metadata.name !== name) throw badRequest("name in URL does not match name in Eviction object");
  const given = object["deleteOptions"];
  const deleteOptions = deleteOptionsOf({
    verb: "delete",
    user: request.user,
    target: request.target,
    options,
    ...(given && { body: JSON.stringify({ ...given, kind: "DeleteOptions" }) }),
  });
  await commit({ ...call, options: { ...options, dryRun: deleteOptions.dryRun } }, (writing) => {
    const eviction = structuredClone(object);
    admitSubresource(writing, {
      operation: "create",
      served,
      subresource: "eviction",
      name,
      kind: EVICTION,
      object: eviction,
    });
    // As upstream, which asks about the eviction and not about the deletion.
    deleteObject(writing, served, name, deleteOptions, { admits: false });
  });
  return textAnswer(201, SUCCESS);
}
