import type { KubeObject } from "../../api/object.ts";
import { ApiError, alreadyExists, resourceName, unknownError } from "../../api/status.ts";
import { admit } from "../admission/admit.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { textAnswer } from "./answer.ts";
import { objectText } from "./object-text.ts";
import { decodeBody, matchNamespace, refuseInvalid, resetForCreate, validateMeta } from "./prepare.ts";
import { type HomeScope, timestampOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";
import { commit, type WriteCall } from "./write.ts";

/** Names are drawn so often before the client is told to draw again (upstream: as many). */
const GENERATE_TRIES = 8;
const GENERATED_LENGTH_MAX = 63;
const SUFFIX_LENGTH = 5;

export async function create(call: WriteCall): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { object, warnings } = decodeBody(served, request.body ?? "", options);
  const json = await commit(call, (writing) => createObject(writing, served, object));
  return textAnswer(201, served.present(json), warnings);
}

/** Creates a decoded and defaulted object, which is used up; answers its text. */
export function createObject(writing: Writing, served: Served, object: KubeObject): string {
  const { scope, tx } = writing;
  const { metadata } = object;
  matchNamespace(metadata, scope.namespace);
  if (metadata.resourceVersion && metadata.resourceVersion !== "0") {
    throw unknownError("resourceVersion should not be set on objects to be created");
  }
  metadata.uid = scope.uuid();
  metadata.creationTimestamp = timestampOf(scope.now());
  if (!metadata.name && metadata.generateName) metadata.name = generateName(writing, served, metadata.generateName);
  // Now that the name and the uid are known: labels and selectors of some kinds are made of them.
  resetForCreate(served, object);

  admit(writing, { operation: "create", served, subresource: "", name: metadata.name, object, previous: undefined });

  refuseInvalid(served, metadata.name ?? "", [
    ...validateMeta(served, metadata),
    ...(served.rules.validate?.(object) ?? []),
  ]);
  const there = tx.get(served.resource, metadata.name);
  if (there) throw refuseExisting(served, there);
  if (writing.dryRun) return objectText(object, undefined);
  return tx.put(served.resource, metadata.name, (revision) => objectText(object, revision)).json;
}

function refuseExisting({ groupResource }: Served, { name, object }: Stored): ApiError {
  const { reason, message, details } = alreadyExists(groupResource, name);
  if (!object.metadata.deletionTimestamp) return new ApiError(reason, message, details);
  return new ApiError(reason, `object is being deleted: ${message}`, details);
}

function generateName({ scope, tx }: Writing, { resource, groupResource }: Served, prefix: string): string {
  let name = "";
  for (let i = 0; i < GENERATE_TRIES; i++) {
    name = nameFrom(prefix, scope);
    if (!tx.get(resource, name)) return name;
  }
  throw new ApiError(
    "AlreadyExists",
    `${resourceName(groupResource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...alreadyExists(groupResource, name).details, retryAfterSeconds: 1 },
  );
}

export const nameFrom = (prefix: string, { suffix }: Pick<HomeScope, "suffix">): string =>
  prefix.slice(0, GENERATED_LENGTH_MAX - SUFFIX_LENGTH) + suffix();
