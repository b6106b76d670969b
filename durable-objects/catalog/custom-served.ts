import type { CustomKind } from "../../api/custom/custom-kind.ts";
import { type FieldError, fieldInvalid } from "../../api/field-error.ts";
import type { KindInfo, KindRules } from "../../api/kind.ts";
import { apiVersionOf } from "../../api/kinds/define-kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { applyPatch } from "../../api/patch/apply-patch.ts";
import type { Decoded, FieldValidation } from "../../api/schema/decode.ts";
import type { Shape } from "../../api/schema/shape.ts";
import { ApiError, type GroupResource, invalid, resourceName } from "../../api/status.ts";
import type { PatchType } from "../protocol.ts";
import type { Stored } from "../store/stored.ts";
import { type Answers, NeedsAnswers, type Question } from "../verbs/answers.ts";
import { objectText, revisionIn } from "../verbs/object-text.ts";
import { copyOf } from "../verbs/scope.ts";
import type { Served } from "../verbs/served.ts";
import { CONVERSION_OBJECTS_MAX } from "./conversion.ts";

export interface CustomServedOptions {
  /** The version that is asked for, known by its names alone. */
  names: CustomKind;
  storage: KindInfo;
  /** What was stored later went through the schemas as they are. */
  since: number;
  isTerminating: boolean;
  /** Its versions are converted by a webhook; otherwise they differ in nothing but their names. */
  byWebhook: boolean;
  /** Undefined until its definition has been fetched. */
  kind: CustomKind | undefined;
  /** Has the definition fetched. */
  question(): Question;
  convert(objects: readonly KubeObject[], desiredAPIVersion: string): Promise<KubeObject[]>;
}

const PATCH_MEDIA_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/apply-patch+yaml",
];

/** One version of a custom resource as verbs see it. */
export class CustomServed implements Served {
  readonly isBuiltIn = false;
  readonly info: KindInfo;
  readonly storage: KindInfo;
  readonly working: KindInfo;
  readonly resource: string;
  readonly groupResource: GroupResource;
  readonly apiVersion: string;
  readonly listKind: string;
  readonly hasStatus: boolean;
  /** Objects say for themselves: `present` looks at each. */
  readonly isAsStored = false;
  readonly isTerminating: boolean;
  readonly byWebhook: boolean;
  readonly #options: CustomServedOptions;
  readonly #kind: CustomKind | undefined;
  /** What the text of an object in this version begins with. */
  readonly #opening: string;

  constructor(options: CustomServedOptions) {
    const { names, storage, isTerminating, byWebhook, kind } = options;
    this.#options = options;
    this.#kind = kind;
    this.info = kind?.info ?? names.info;
    this.storage = storage;
    this.working = this.info;
    this.resource = resourceName(storage);
    this.groupResource = { group: this.info.group, resource: this.info.resource };
    this.apiVersion = names.apiVersion;
    this.listKind = names.listKind;
    this.hasStatus = names.hasStatus;
    this.isTerminating = isTerminating;
    this.byWebhook = byWebhook;
    this.#opening = `{"kind":${JSON.stringify(this.info.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},`;
  }

  /** @throws NeedsAnswers where the definition has not been fetched. */
  get custom(): CustomKind {
    if (!this.#kind) throw new NeedsAnswers([this.#options.question()]);
    return this.#kind;
  }

  get rules(): KindRules<KubeObject> {
    return this.custom.rules;
  }

  get shape(): Shape {
    return this.custom.shape;
  }

  /** What only a webhook can convert is left as it is stored: see `inServedVersion`. */
  present(json: string): string {
    const isOfVersion = json.startsWith(this.#opening);
    if (isOfVersion && revisionIn(json) > this.#options.since) return json;
    if (!isOfVersion && this.byWebhook) return json;
    const object = JSON.parse(json) as KubeObject;
    object.apiVersion = this.apiVersion;
    const { resourceVersion } = object.metadata;
    return objectText(this.custom.present(object), resourceVersion === undefined ? undefined : Number(resourceVersion));
  }

  /** Objects as `present` left them, in the version that is served: those of another one are converted by the webhook. @throws ApiError */
  async inServedVersion(objects: readonly KubeObject[]): Promise<KubeObject[]> {
    const result = [...objects];
    const others = result.flatMap((object, i) => (object.apiVersion === this.apiVersion ? [] : [i]));
    for (let i = 0; i < others.length; i += CONVERSION_OBJECTS_MAX) {
      const part = others.slice(i, i + CONVERSION_OBJECTS_MAX);
      const converted = await this.#options.convert(
        part.map((at) => result[at]!),
        this.apiVersion,
      );
      part.forEach((at, j) => {
        result[at] = this.custom.present(converted[j]!);
      });
    }
    return result;
  }

  decodeText(text: string, fieldValidation: FieldValidation | undefined): Decoded {
    return this.custom.decodeText(text, fieldValidation);
  }

  decodeValue(value: unknown): KubeObject {
    return this.custom.decodeValue(value).object;
  }

  complete(object: KubeObject): KubeObject {
    object.metadata ??= { name: "" };
    this.custom.setDefaults(object);
    return object;
  }

  current(stored: Stored, answers: Answers): Readonly<KubeObject> {
    const { object, revision } = stored;
    const isOfVersion = object.apiVersion === this.apiVersion;
    if (isOfVersion && revision > this.#options.since) return object;
    const copy = copyOf(object);
    return this.custom.present(isOfVersion ? copy : this.#convert(copy, this.info, answers));
  }

  toStored(object: KubeObject, answers: Answers): KubeObject {
    return this.#convert(object, this.storage, answers);
  }

  inVersion(object: KubeObject, to: KindInfo, answers: Answers, about: string): KubeObject {
    if (!this.byWebhook) return { ...object, apiVersion: apiVersionOf(to) };
    return this.#convert(copyOf(object), to, answers, `conversion of ${about}`);
  }

  #convert(object: KubeObject, to: KindInfo, answers: Answers, about = "conversion"): KubeObject {
    const desired = apiVersionOf(to);
    if (object.apiVersion === desired) return object;
    if (!this.byWebhook) {
      object.apiVersion = desired;
      return object;
    }
    const converted = answers.to({
      key: `${about} to ${desired}`,
      ask: object,
      answer: async () => ({ value: (await this.#options.convert([object], desired))[0]! }),
    });
    return structuredClone(converted);
  }

  patch(
    type: PatchType,
    current: Readonly<KubeObject>,
    text: string,
    fieldValidation: FieldValidation | undefined,
  ): Decoded {
    if (type === "strategic" || type === "apply") {
      const accepted = PATCH_MEDIA_TYPES.join(", ");
      const why = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
      throw new ApiError("UnsupportedMediaType", why, {});
    }
    return applyPatch(type, this.info, current as KubeObject, text, fieldValidation, (value) =>
      this.#decodePatched(value),
    );
  }

  #decodePatched(value: unknown) {
    const { kind, apiVersion, metadata } = (value ?? {}) as Partial<KubeObject>;
    const errors: FieldError[] = [];
    if (kind !== this.info.kind) errors.push(fieldInvalid("kind", kind ?? "", `must be ${this.info.kind}`));
    if (apiVersion !== this.apiVersion)
      errors.push(fieldInvalid("apiVersion", apiVersion ?? "", `must be ${this.apiVersion}`));
    const { group } = this.info;
    if (errors.length > 0) throw invalid({ group, kind: this.info.kind }, String(metadata?.name ?? ""), errors);
    return this.custom.decodeValue(value);
  }

  asInfo(object: Readonly<KubeObject>): KubeObject {
    return copyOf(object);
  }

  validate(object: KubeObject, warnings: string[]): FieldError[] {
    return told(this.custom.validate(object), warnings);
  }

  validateUpdate(next: KubeObject, previous: Readonly<KubeObject>, warnings: string[]): FieldError[] {
    return told(this.custom.validateUpdate(next, previous), warnings);
  }

  validateStatusUpdate(next: KubeObject, previous: Readonly<KubeObject>, warnings: string[]): FieldError[] {
    return told(this.custom.validateStatusUpdate(next, previous), warnings);
  }
}

function told(verdict: ReturnType<CustomKind["validate"]>, warnings: string[]): FieldError[] {
  warnings.push(...verdict.warnings);
  return verdict.errors;
}
