/** 1: it did not work; 2: it was asked for in a way that cannot work. */
export type FailureExitCode = 1 | 2;

/** An error for the user of the command: one line that says what to do, printed without a stack. */
export class Failure extends Error {
  readonly exitCode: FailureExitCode;

  constructor(message: string, exitCode: FailureExitCode = 1) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}
