import type { ControllerLoop } from "./controller-loop.ts";

/** Unfinished work is looked at again after this long at the latest, also by a process that knows nothing of it. */
const GUARD_MILLISECONDS = 2_000;
/** A pass that failed as a whole (a bug, a full disk) is tried again with a delay that doubles up to this. */
const PASS_RETRY_FIRST_MILLISECONDS = 1_000;
const PASS_RETRY_LAST_MILLISECONDS = 300_000;
const BEFORE_PASS_MILLISECONDS_MAX = 2_000;
export interface ControllerPassesOptions {
  loop: Pick<ControllerLoop, "nextDueAt" | "run" | "isAsking">;
  lease: { readonly isOpen: boolean; open(): Promise<void> | undefined };
  platform: {
    /** Milliseconds since 1970. */
    now(): number;
    later(milliseconds: number, work: () => void): unknown;
    setAlarm(at: number): void;
  };
  /** Before a pass: what has to be fetched from elsewhere; mostly nothing. Never rejects. */
  before(): Promise<void> | undefined;
  /** False while controllers have to wait for what was to be fetched. */
  mayPass(): boolean;
}

/** When a home's controllers run: soon after each commit, when a timer is due, and when the one alarm rings. */
export class ControllerPasses {
  readonly #options: ControllerPassesOptions;
  /** The alarm as far as this instance knows. */
  #alarmAt = Number.POSITIVE_INFINITY;
  #isScheduled = false;
  /** Alarms that wait for the next pass. */
  readonly #afterPass: (() => void)[] = [];
  #failures = 0;

  constructor(options: ControllerPassesOptions) {
    this.#options = options;
  }

  /** Makes sure that unfinished work is done even if this process is not the one to do it. */
  guard(): void {
    this.#setAlarm(this.#options.platform.now() + GUARD_MILLISECONDS);
  }

  /** Sets the one alarm, unless it rings earlier anyway. */
  #setAlarm(at: number): void {
    if (this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.#options.platform.setAlarm(at);
  }

  /** The alarm has rung. Resolves when a pass is over. */
  afterAlarm(): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const passed = new Promise<void>((resolve) => this.#afterPass.push(resolve));
    this.schedule();
    return passed;
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const { platform, before } = this.#options;
    platform.later(0, () => {
      let begun = false;
      const run = () => {
        if (begun) return;
        begun = true;
        this.#isScheduled = false;
        this.pass();
        for (const resolve of this.#afterPass.splice(0)) resolve();
      };
      const awaited = before();
      if (!awaited) {
        run();
        return;
      }
      // Who does not answer must not stop the controllers.
      platform.later(BEFORE_PASS_MILLISECONDS_MAX, run);
      void awaited.then(run);
    });
  }

  /** One pass of the controllers. Never throws: what fails is tried again later. */
  pass(): void {
    const { loop, lease, platform, mayPass } = this.#options;
    const now = platform.now();
    let next: number | undefined;
    try {
      const isDue = (loop.nextDueAt() ?? Number.POSITIVE_INFINITY) <= now;
      if (isDue && !mayPass()) {
        this.guard(); // The alarm tries again to learn what it takes.
        return;
      }
      if (isDue && !lease.isOpen) {
        this.#passWhenOpen();
        return;
      }
      if (isDue) {
        for (const { controller, key, attempts, error } of loop.run(now).failures) {
          console.warn(
            `${controller} ${key}: attempt ${attempts}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
      this.#failures = 0;
      if (loop.isAsking) this.guard();
      next = loop.nextDueAt();
    } catch (error) {
      console.error(error);
      const delay = Math.min(PASS_RETRY_FIRST_MILLISECONDS * 2 ** this.#failures++, PASS_RETRY_LAST_MILLISECONDS);
      next = now + delay;
    }
    if (next === undefined) return;
    if (next <= now) {
      // The next pass of a long work lets requests in between; should this process end now, the alarm goes on with it.
      this.guard();
      this.schedule();
    } else this.#setAlarm(next);
  }

  #passWhenOpen(): void {
    this.guard(); // Should no lease be had now, the alarm tries again.
    void this.#options.lease.open()?.then(
      () => this.schedule(),
      () => undefined,
    );
  }
}
