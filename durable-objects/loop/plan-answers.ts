import { resourceName } from "../../api/status.ts";
import type { Write } from "../controllers/controller.ts";
import type { Answers, Draws, Question } from "../verbs/answers.ts";

/** What one wished write has been answered, and has drawn: its next try asks and draws the same. The home fills it in. */
export interface WriteAttempt {
  answers?: Answers;
  draws?: Draws;
  /** It was asked, and this was the answer. */
  refusal?: unknown;
}

/** Something that a wished write has to ask before it can be carried out. */
export interface Asking {
  readonly attempt: WriteAttempt;
  readonly questions: readonly Question[];
}

/** The tries of one plan: its writes need answers from elsewhere, and the plan is made again when they are there. */
export class PlanAnswers {
  readonly #attempts = new Map<string, WriteAttempt>();
  readonly #random: () => number;
  readonly #drawn: number[] = [];
  #next = 0;
  /** Of this try. */
  asking: Asking[] = [];
  /** Milliseconds since 1970, the same in every try. */
  readonly now: number;

  constructor(now: number, random: () => number) {
    this.now = now;
    this.#random = random;
  }

  /** As the platform's, and again the same in the next try. */
  random(): number {
    const i = this.#next++;
    this.#drawn[i] ??= this.#random();
    return this.#drawn[i];
  }

  begin(): void {
    this.#next = 0;
    this.asking = [];
    for (const { draws } of this.#attempts.values()) draws?.rewind();
  }

  of(write: Write): WriteAttempt {
    const key = keyOf(write);
    let attempt = this.#attempts.get(key);
    if (!attempt) {
      attempt = {};
      this.#attempts.set(key, attempt);
    }
    return attempt;
  }

  /** Asks what this try needs. Never rejects: a refusal is the write's. */
  async ask(): Promise<void> {
    await Promise.all(
      this.asking.map(async ({ attempt, questions }) => {
        try {
          await attempt.answers?.get(questions);
        } catch (error) {
          attempt.refusal = error;
        }
      }),
    );
  }

  /** The plan was carried out, or given up. */
  end(isDone: boolean): void {
    for (const { answers } of this.#attempts.values()) {
      if (isDone) answers?.keep();
      else void answers?.release();
    }
  }
}

const keyOf = (write: Write): string => {
  if (write.op === "event") return `event ${write.reason} ${write.about.kind}/${write.about.metadata.name}`;
  const name = write.op === "delete" ? write.name : write.object.metadata.name;
  return `${write.op} ${resourceName(write.kind)}/${name}`;
};
