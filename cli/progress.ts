import { Listr } from "listr2";
import { colors } from "./colors.ts";

/** One thing that a command does, as its user sees it. */
export interface Step {
  title: string;
  /**
   * @param report tells what is being done at the moment
   * @returns what is worth knowing of the result, shown behind the title
   */
  run(report: (text: string) => void): Promise<string | undefined>;
}

/** Runs the steps one after the other and shows how they progress: on a terminal in place, elsewhere as plain lines. */
export async function runSteps(steps: readonly Step[], output: NodeJS.WriteStream = process.stdout): Promise<void> {
  if (output.isTTY) await runOnTerminal(steps);
  else await runPlainly(steps, (line) => output.write(`${line}\n`));
}

async function runOnTerminal(steps: readonly Step[]): Promise<void> {
  const tasks = steps.map((step) => ({
    title: step.title,
    task: async (_: unknown, task: { output: string; title: string }) => {
      const result = await step.run((text) => {
        task.output = text;
      });
      if (result) task.title = titleWith(step.title, colors.dim(result));
    },
  }));
  // What failed is said once, by whoever called the command.
  await new Listr(tasks, { rendererOptions: { showErrorMessage: false }, registerSignalListeners: false }).run();
}

/** The same as lines, for logs. */
export async function runPlainly(steps: readonly Step[], print: (line: string) => void): Promise<void> {
  for (const step of steps) {
    print(`${step.title} …`);
    const result = await step.run((text) => print(`  ${text}`));
    print(titleWith(`done: ${step.title}`, result));
  }
}

const titleWith = (title: string, result: string | undefined): string => (result ? `${title} (${result})` : title);

const TERMINAL_INTERVAL_MILLISECONDS = 100;
const PLAIN_INTERVAL_MILLISECONDS = 2_000;

/** How far one long piece of work is: on a terminal a line that changes in place, elsewhere a line now and then. */
export class ProgressLine {
  readonly #output: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">;
  readonly #now: () => number;
  #shownAt: number;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(output: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">, now: () => number) {
    this.#output = output;
    this.#now = now;
    this.#shownAt = now();
  }

  /** May be called as often as there is news: it is told only so often. */
  show(describe: () => string): void {
    const { isTTY, columns } = this.#output;
    const now = this.#now();
    if (now - this.#shownAt < (isTTY ? TERMINAL_INTERVAL_MILLISECONDS : PLAIN_INTERVAL_MILLISECONDS)) return;
    this.#shownAt = now;
    // A line that wraps could not be written over.
    this.#output.write(isTTY ? `\r\u001b[K${describe().slice(0, columns - 1)}` : `${describe()}\n`);
  }

  /** Makes room for what is printed next. */
  end(): void {
    if (this.#output.isTTY) this.#output.write("\r\u001b[K");
  }
}
