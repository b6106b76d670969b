import { compileCustomKind } from "../../api/custom/compile-custom-kind.ts";
import type { CustomKind } from "../../api/custom/custom-kind.ts";
import type { CustomResourceDefinitionObject } from "../../api/custom/definition.ts";
import type { DefinitionHead } from "../protocol.ts";
import type { Question } from "../verbs/answers.ts";
import { hasCondition } from "./contents.ts";
import type { ConversionCaller } from "./conversion.ts";
import { CustomServed } from "./custom-served.ts";

/** JSON text of the definitions whose schemas are kept: what was not used for longest is fetched again when it is needed. */
const KEPT_CHARS_MAX = 24 << 20;

export interface DefinitionsOptions {
  /** The whole of a definition as it was when its head was made; undefined where it has changed since. */
  fetch(head: DefinitionHead): Promise<string | undefined>;
  convert?: ConversionCaller | undefined;
}

/** The definitions that a home knows, each with what has been made of it. */
export class Definitions {
  readonly #options: DefinitionsOptions;
  /** By their heads: one that has changed is another. */
  readonly #known = new Map<string, Definition>();
  /** Those with schemas, the last used last. */
  readonly #kept = new Map<Definition, number>();

  constructor(options: DefinitionsOptions) {
    this.#options = options;
  }

  /** Those are all that there are; what has been made of one that stays the same is kept. By their names. */
  adopt(heads: readonly DefinitionHead[]): Map<string, Definition> {
    const before = new Map(this.#known);
    this.#known.clear();
    const named = new Map<string, Definition>();
    for (const head of heads) {
      const key = JSON.stringify(head.definition);
      const definition = before.get(key) ?? new Definition(head, this.#options, (it, chars) => this.#keep(it, chars));
      before.delete(key);
      this.#known.set(key, definition);
      named.set(head.definition.metadata.name, definition);
    }
    for (const gone of before.values()) this.#kept.delete(gone);
    return named;
  }

  #keep(definition: Definition, chars: number): void {
    this.#kept.delete(definition);
    this.#kept.set(definition, chars);
    let total = 0;
    for (const each of this.#kept.values()) total += each;
    for (const [oldest, size] of this.#kept) {
      if (total <= KEPT_CHARS_MAX || oldest === definition) return;
      oldest.forget();
      this.#kept.delete(oldest);
      total -= size;
    }
  }
}

/** One definition: its kinds, and what verbs need to know of each of its versions. */
export class Definition {
  readonly head: DefinitionHead;
  readonly isTerminating: boolean;
  readonly #options: DefinitionsOptions;
  readonly #loaded: (definition: Definition, chars: number) => void;
  /** Of the head: good for names and verbs. */
  readonly #names: ReadonlyMap<string, CustomKind>;
  #full: CustomResourceDefinitionObject | undefined;
  #kinds: ReadonlyMap<string, CustomKind> | undefined;
  #served = new Map<string, CustomServed>();
  #loading: Promise<boolean> | undefined;

  constructor(
    head: DefinitionHead,
    options: DefinitionsOptions,
    loaded: (definition: Definition, chars: number) => void,
  ) {
    this.head = head;
    this.isTerminating = hasCondition(head.definition, "Terminating");
    this.#options = options;
    this.#loaded = loaded;
    this.#names = compileCustomKind(head.definition);
  }

  /** The whole of it is here: nothing has to be awaited. */
  get isLoaded(): boolean {
    return this.#kinds !== undefined;
  }

  /** The kinds of all served versions, by their names alone. */
  get names(): readonly CustomKind[] {
    return [...this.#names.values()].filter(({ served }) => served);
  }

  kind(version: string): CustomKind | undefined {
    return this.#kinds?.get(version);
  }

  /** Undefined where the version is not served. What is not loaded yet is asked for by whoever needs it (`NeedsAnswers`). */
  served(version: string): CustomServed | undefined {
    const known = this.#served.get(version);
    if (known) return known;
    const names = this.#names.get(version);
    const storage = [...this.#names.values()].find((kind) => kind.storage);
    if (!names?.served || !storage) return undefined;
    const served = new CustomServed({
      names,
      storage: storage.info,
      since: this.head.since,
      isTerminating: this.isTerminating,
      byWebhook: this.head.definition.spec.conversion?.strategy === "Webhook",
      kind: this.#kinds?.get(version),
      question: () => this.question(),
      convert: async (objects, desiredAPIVersion) => await this.convert(objects, desiredAPIVersion),
    });
    this.#served.set(version, served);
    return served;
  }

  /** Fetches the whole definition. False where it has changed since its head was made. */
  async load(): Promise<boolean> {
    if (this.isLoaded) return true;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return await this.#loading;
  }

  async #load(): Promise<boolean> {
    const text = await this.#options.fetch(this.head);
    if (text === undefined) return false;
    this.#full = JSON.parse(text) as CustomResourceDefinitionObject;
    this.#kinds = compileCustomKind(this.#full);
    this.#served = new Map();
    this.#loaded(this, text.length);
    return true;
  }

  forget(): void {
    this.#full = undefined;
    this.#kinds = undefined;
    this.#served = new Map();
  }

  question(): Question<boolean> {
    const { name, uid, generation } = this.head.definition.metadata;
    return {
      key: `definition ${name}`,
      ask: { uid: uid ?? "", generation: generation ?? 0 },
      answer: async () => ({ value: await this.load() }),
    };
  }

  /** By its webhook. @throws ApiError */
  async convert(
    objects: Parameters<ConversionCaller>[0]["objects"],
    desiredAPIVersion: string,
  ): ReturnType<ConversionCaller> {
    await this.load();
    const { convert } = this.#options;
    if (!convert || !this.#full) throw new Error("no conversion webhook can be called here");
    return await convert({ definition: this.#full, desiredAPIVersion, objects });
  }
}
