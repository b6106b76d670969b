import type { KubeObject } from "../../api/object.ts";
import { ApiError, alreadyExists, resourceName, unknownError } from "../../api/status.ts";
import { admit, begin, validateAdmission } from "../admission/admit.ts";
import type { HomeAnswer } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { textAnswer } from "./answer.ts";
import { checkManagedFields, manageFields } from "./managed-fields.ts";
import { objectText } from "./object-text.ts";
import {
  AFTER_ADMISSION,
  decodeBody,
  dropDuplicateOwners,
  matchNamespace,
  refuseInvalid,
  resetForCreate,
  validateNewMeta,
  wipeSystemFields,
} from "./prepare.ts";
import { type Call, type HomeScope, timestampOf, type Writing } from "./scope.ts";
import type { Served } from "./served.ts";
import { commit } from "./write.ts";

/** Names are drawn so often before the client is told to draw again (upstream: as many). */
const GENERATE_TRIES = 8;
const GENERATED_LENGTH_MAX = 63;
const SUFFIX_LENGTH = 5;

export async function create(call: Call): Promise<HomeAnswer> {
  const { served, warnings } = call;
  const decoded = decodeBody(call);
  warnings.push(...decoded.warnings);
  let object: KubeObject | undefined = decoded.object;
  const json = await commit(call, (writing) => {
    // A try uses its object up.
    const own = object ?? decodeBody(call).object;
    object = undefined;
    return createObject(writing, served, own);
  });
  return textAnswer(201, served.present(json), warnings);
}

/**
 * Creates a decoded and defaulted object of the working version, which is used up; answers its text. The order is upstream's:
 * endpoints/handlers/create.go, then registry.Store.Create. `fieldsAreManaged`: the object comes with its managedFields (apply).
 */
export function createObject(
  writing: Writing,
  served: Served,
  object: KubeObject,
  { fieldsAreManaged = false }: { readonly fieldsAreManaged?: boolean } = {},
): string {
  const { scope, tx, draws, answers } = writing;
  wipeSystemFields(object.metadata);
  matchNamespace(object.metadata, scope.namespace);
  dropDuplicateOwners(object.metadata, writing.warnings);
  if (!fieldsAreManaged) manageFields(writing, served, "", undefined, object);
  const { managedFields } = object.metadata;
  const write = {
    operation: "create" as const,
    served,
    subresource: "",
    name: object.metadata.name ?? "",
    object,
    previous: undefined,
  };
  write.object = admit(writing, write);
  dropDuplicateOwners(write.object.metadata, writing.warnings, AFTER_ADMISSION);
  checkManagedFields(writing, write.object, managedFields);

  const { metadata } = write.object;
  // Upstream takes no offence at what is no number.
  if (/^\d+$/.test(metadata.resourceVersion ?? "") && Number(metadata.resourceVersion) !== 0) {
    throw unknownError("resourceVersion should not be set on objects to be created");
  }
  metadata.uid = draws.uuid();
  metadata.creationTimestamp = timestampOf(draws.now());
  if (!metadata.name && metadata.generateName) metadata.name = generateName(writing, served, metadata.generateName);
  write.name = metadata.name ?? "";
  // Now that the name and the uid are known: labels and selectors of some kinds are made of them.
  resetForCreate(served, write.object, writing.user);
  begin(writing, write);
  const warnings: string[] = [];
  refuseInvalid(served, write.name, [...validateNewMeta(served, metadata), ...served.validate(write.object, warnings)]);
  // Of what is refused nobody is warned.
  writing.warnings.push(...warnings);
  validateAdmission(writing, write);

  const { resource } = served;
  const stored = served.toStored(write.object, answers);
  const created = writing.dryRun
    ? undefined
    : tx.create(resource, metadata.name, (revision) => objectText(stored, revision));
  if (created) return created.json;
  const there = tx.get(resource, metadata.name);
  if (there) throw refuseExisting(served, there);
  return objectText(stored, undefined);
}

function refuseExisting({ groupResource }: Served, { name, object }: Stored): ApiError {
  const { reason, message, details } = alreadyExists(groupResource, name);
  if (!object.metadata.deletionTimestamp) return new ApiError(reason, message, details);
  return new ApiError(reason, `object is being deleted: ${message}`, details);
}

function generateName({ draws, tx }: Writing, { resource, groupResource }: Served, prefix: string): string {
  let name = "";
  for (let i = 0; i < GENERATE_TRIES; i++) {
    name = nameFrom(prefix, draws);
    if (!tx.get(resource, name)) return name;
  }
  throw new ApiError(
    "AlreadyExists",
    `${resourceName(groupResource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...alreadyExists(groupResource, name).details, retryAfterSeconds: 1 },
  );
}

export const nameFrom = (prefix: string, draws: Pick<HomeScope, "suffix">): string =>
  prefix.slice(0, GENERATED_LENGTH_MAX - SUFFIX_LENGTH) + draws.suffix();
