import { sameJson } from "../../api/equality.ts";
import { internalError } from "../../api/status.ts";

/** Something that a write needs from outside of its home: a webhook's verdict, a Service's addresses, a conversion. */
export interface Question<T = unknown> {
  /** What it is about; the same each time that the write is tried: `service addresses`, `mutating webhook <configuration>/<name>`. */
  readonly key: string;
  /** What is asked, as JSON: an answer holds for what was asked, and for nothing else. */
  readonly ask: unknown;
  /** Gets the answer, outside of any transaction. What it throws refuses the write. */
  answer(): Promise<Answer<T>>;
}

export interface Answer<T = unknown> {
  readonly value: T;
  /** The write was refused, or needs something else by now: gives back what is held for it. Never rejects. */
  release?(): Promise<void>;
  /** The write has committed. */
  keep?(): void;
}

/** Thrown within a transaction: the answers are got, all at once, and the write is tried again. */
export class NeedsAnswers extends Error {
  readonly questions: readonly Question[];

  constructor(questions: readonly Question[]) {
    super(`the write needs answers: ${questions.map(({ key }) => key).join(", ")}`);
    this.questions = questions;
  }
}

/** Questions of one write. */
const QUESTIONS_MAX = 500;
/** A write that asks something else each time it is tried is given up. */
const TRIES_MAX = 100;

/** What has been answered to one write so far. */
export class Answers {
  #known: Map<string, { readonly ask: unknown; readonly answer: Answer }> | undefined;
  #tries = 0;

  /** @throws NeedsAnswers where that has not been asked yet. */
  to<T>(question: Question<T>): T {
    const known = this.#known?.get(question.key);
    if (!known || !sameJson(known.ask, question.ask)) throw new NeedsAnswers([question]);
    return known.answer.value as T;
  }

  /** The answers to questions that do not depend on each other, in their order. @throws NeedsAnswers naming all that are missing. */
  toAll<T>(questions: readonly Question<T>[]): T[] {
    const missing = questions.filter(({ key, ask }) => {
      const known = this.#known?.get(key);
      return !known || !sameJson(known.ask, ask);
    });
    if (missing.length > 0) throw new NeedsAnswers(missing);
    return questions.map(({ key }) => this.#known?.get(key)?.answer.value as T);
  }

  /** Asks. Rejects where one of the answers is a refusal. */
  async get(questions: readonly Question[]): Promise<void> {
    this.#known ??= new Map();
    if (++this.#tries > TRIES_MAX || this.#known.size + questions.length > QUESTIONS_MAX)
      throw internalError("the object keeps changing");
    const known = this.#known;
    await Promise.all(questions.map(({ key }) => known.get(key)?.answer.release?.()));
    for (const { key } of questions) known.delete(key);
    const got = await Promise.allSettled(questions.map((question) => question.answer()));
    got.forEach((result, i) => {
      const { key, ask } = questions[i]!;
      if (result.status === "fulfilled") known.set(key, { ask, answer: result.value });
    });
    for (const result of got) if (result.status === "rejected") throw result.reason;
  }

  /** The write was refused. */
  async release(): Promise<void> {
    if (!this.#known) return;
    await Promise.all([...this.#known.values()].map(({ answer }) => answer.release?.()));
    this.#known = undefined;
  }

  /** The write has committed. */
  keep(): void {
    for (const { answer } of this.#known?.values() ?? []) answer.keep?.();
    this.#known = undefined;
  }
}

/** Where time, and what is random, come from. */
export interface DrawSource {
  /** Milliseconds since 1970. */
  now(): number;
  uuid(): string;
  /** Five letters and digits. */
  suffix(): string;
}

/** What is drawn for one write, the same each time that it is tried: what was asked would never be asked again otherwise. */
export class Draws {
  readonly #scope: DrawSource;
  readonly #uuids: string[] = [];
  readonly #suffixes: string[] = [];
  #now: number | undefined;
  #nextUuid = 0;
  #nextSuffix = 0;

  constructor(scope: DrawSource) {
    this.#scope = scope;
  }

  /** Milliseconds since 1970. */
  now(): number {
    this.#now ??= this.#scope.now();
    return this.#now;
  }

  uuid(): string {
    const i = this.#nextUuid++;
    this.#uuids[i] ??= this.#scope.uuid();
    return this.#uuids[i];
  }

  /** Five letters and digits. */
  suffix(): string {
    const i = this.#nextSuffix++;
    this.#suffixes[i] ??= this.#scope.suffix();
    return this.#suffixes[i];
  }

  /** The write is tried again. */
  rewind(): void {
    this.#nextUuid = 0;
    this.#nextSuffix = 0;
  }
}
