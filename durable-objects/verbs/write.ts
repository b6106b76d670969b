import type { User } from "../../api/object.ts";
import { requestTimedOut } from "../../api/status.ts";
import type { HomeAnswer, RequestOptions } from "../protocol.ts";
import type { Synchronous } from "../store/transaction.ts";
import { Answers, Draws, NeedsAnswers, type Question } from "./answers.ts";
import { managerOfUser } from "./managed-fields.ts";
import type { Call, HomeScope, Writing } from "./scope.ts";

/** Carries out one verb. */
export type VerbFunction = (call: Call) => HomeAnswer | Promise<HomeAnswer>;

/** Whose write it is, and how. */
export interface Writer {
  readonly scope: HomeScope;
  readonly user: User;
  readonly dryRun: boolean;
  /** The field manager that `managedFields` names. */
  readonly manager: string;
  /** What clients are warned of; a write that is tried again begins with those that were there before its first try. */
  readonly warnings: string[];
  /** Of the request, if it is one. */
  readonly options?: RequestOptions | undefined;
  readonly annotations?: Record<string, string> | undefined;
}

/** Runs a request's write in the home's next transaction; more than once where it needs something from elsewhere. */
export const commit = <T>(call: Call, work: (writing: Writing) => Synchronous<T>): Promise<T> => {
  const { scope, request, options, warnings, annotations } = call;
  const { user } = request;
  const dryRun = options.dryRun ?? false;
  return write({ scope, user, dryRun, manager: managerOf(options, user), warnings, options, annotations }, work);
};

/** As `commit`, for whoever writes. */
export async function write<T>(writer: Writer, work: (writing: Writing) => Synchronous<T>): Promise<T> {
  const { scope, user, dryRun, manager, warnings, options, annotations } = writer;
  const answers = new Answers();
  const draws = new Draws(scope);
  const warned = warnings.length;
  for (;;) {
    try {
      const result = await scope.store.enqueue<T>((tx) => {
        tx.author = user.name;
        return work({ scope, tx, user, dryRun, manager, warnings, answers, draws, options, annotations });
      });
      answers.keep();
      return result;
    } catch (error) {
      if (!(error instanceof NeedsAnswers)) {
        await answers.release();
        throw error;
      }
      await ask(answers, error.questions, scope, draws.now() + ASKING_MILLISECONDS_MAX - scope.now());
      warnings.length = warned;
      draws.rewind();
    }
  }
}

/** A write waits for others no longer than kube-apiserver's --request-timeout. */
const ASKING_MILLISECONDS_MAX = 60_000;

/** Asks within so many milliseconds; gives back all that was answered where that refuses the write. @throws ApiError */
async function ask(
  answers: Answers,
  questions: readonly Question[],
  { later }: Pick<HomeScope, "later">,
  milliseconds: number,
): Promise<void> {
  const asking = answers.get(questions);
  const released = () => answers.release();
  let isLate = false;
  let cancel!: () => void;
  const timeout = new Promise<never>((_, reject) => {
    cancel = later(Math.max(milliseconds, 0), () => {
      isLate = true;
      reject(requestTimedOut());
    });
  });
  try {
    await Promise.race([asking, timeout]);
  } catch (refusal) {
    // What comes too late is given back when it comes.
    if (isLate) asking.then(released, released);
    else await released();
    throw refusal;
  } finally {
    cancel();
  }
}

const MANAGER_CHARS_MAX = 128;

/** The field manager that a request names, or the program that it comes from: its User-Agent up to the first slash. */
function managerOf({ fieldManager, userAgent }: RequestOptions, user: User): string {
  if (fieldManager) return fieldManager;
  // Requests that come from no worker are our own.
  if (userAgent === undefined) return managerOfUser(user.name);
  const slash = userAgent.indexOf("/");
  const program = slash < 0 ? userAgent : userAgent.slice(0, slash);
  return PRINTABLE.test(program) && program.length <= MANAGER_CHARS_MAX
    ? program
    : [...program]
        .filter((character) => PRINTABLE.test(character))
        .join("")
        .slice(0, MANAGER_CHARS_MAX);
}

const PRINTABLE = /^[ -~\p{L}\p{M}\p{N}\p{P}\p{S}]*$/u;
