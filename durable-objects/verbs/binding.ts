import { fieldNotSupported, fieldRequired } from "../../api/field-error.ts";
import { decodeText } from "../../api/schema/decode.ts";
import { badRequest, invalid } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { bindPod } from "./pods.ts";
import type { Call } from "./scope.ts";
import { commit } from "./write.ts";

const BINDING = { group: "", version: "v1", kind: "Binding" };
const SUCCESS = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}';

/** `pods/binding`, and `bindings`, where the body names the pod: what schedulers other than our own place pods with. */
export async function createBinding(call: Call): Promise<HomeAnswer> {
  const { request, options } = call;
  const { object } = decodeText(BINDING, request.body ?? "", options.fieldValidation);
  const name = request.target.name || object.metadata.name;
  if (object.metadata.name !== name) throw badRequest("name in URL does not match name in Binding object");
  const target = object["target"] ?? {};
  if (target.kind && target.kind !== "Node") {
    throw invalid({ group: "", kind: "Binding" }, name, [
      fieldNotSupported("target.kind", target.kind, ["Node", "<empty>"]),
    ]);
  }
  if (!target.name) throw invalid({ group: "", kind: "Binding" }, name, [fieldRequired("target.name")]);
  const { uid, annotations } = object.metadata;
  await commit(call, (writing) =>
    bindPod(writing, { name, uid, node: target.name, ...(annotations && { annotations }) }),
  );
  return textAnswer(201, SUCCESS);
}
