import type { KubeObject } from "../../api/object.ts";
import { decodeValue, type Gvk } from "../../api/schema/decode.ts";
import type { Writing } from "../verbs/scope.ts";
import type { Served } from "../verbs/served.ts";
import { type AdmittedWrite, admit, validateAdmission } from "./admit.ts";
import type { Guise } from "./plugin.ts";

/** What a request on a subresource brings with it, and is not stored: a Binding, an Eviction, how to attach. */
export interface SubresourceRequest {
  readonly operation: "create" | "connect";
  readonly served: Served;
  readonly subresource: string;
  /** Of the object that the subresource belongs to. */
  readonly name: string;
  readonly kind: Gvk;
  readonly object: KubeObject;
}

/** Runs both halves of admission on it. Answers what the mutating one made of it. @throws the ApiError of the first plugin that refuses. */
export function admitSubresource(writing: Writing, request: SubresourceRequest): KubeObject {
  const { operation, served, subresource, name, kind, object } = request;
  const write: AdmittedWrite = {
    operation,
    served,
    subresource,
    name,
    object,
    previous: undefined,
    guise: guiseOf(kind),
  };
  write.object = admit(writing, write);
  validateAdmission(writing, write);
  return write.object;
}

const guiseOf = ({ group, version, kind }: Gvk): Guise => ({
  kind: { group, version, kind },
  show: (object) => object as KubeObject,
  take: (_, shown) => decodeValue({ group, version, kind }, shown).object,
});
