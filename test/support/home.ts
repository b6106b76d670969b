import { allKinds } from "../../api/kinds.ts";
import type { User } from "../../api/object.ts";
import type { AdmissionPlugin } from "../../durable-objects/admission/plugin.ts";
import { Home, type HomeOptions, type Platform } from "../../durable-objects/home.ts";
import type { HomeAnswer, HomeRequest, Target, WatchAnswer } from "../../durable-objects/protocol.ts";
import { revisionAt } from "../../durable-objects/revision.ts";
import { fakeTimeline } from "./fake-timeline.ts";
import { nodeSql } from "./node-sql.ts";

/** Somebody's clock may be so far ahead. */
const CLOCK_SKEW_MILLISECONDS = 60_000;
export const ADMIN: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };

/** A platform whose time stands still until it is told to go on. */
export class TestPlatform implements Platform {
  database = nodeSql();
  time = Date.UTC(2026, 10, 22, 12);
  alarmAt: number | undefined;
  #ids = 0;
  #random = 0;
  #timers: { at: number; order: number; work: () => void }[] = [];
  #order = 0;

  now = () => this.time;
  uuid = () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, "0")}`;
  random = () => (this.#random = (this.#random + 0.6180339887) % 1);
  setAlarm = (at: number) => {
    this.alarmAt = at;
  };
  later = (milliseconds: number, work: () => void) => {
    const timer = { at: this.time + milliseconds, order: this.#order++, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  };

  /** Runs the one piece of work that is due next. */
  step(): void {
    const [next] = this.#timers.sort((a, b) => a.at - b.at || a.order - b.order);
    if (!next) return;
    this.#timers.shift();
    this.time = Math.max(this.time, next.at);
    next.work();
  }

  dropTimers(): void {
    this.#timers = [];
  }

  /** Runs what is due, and what that makes due, in order. */
  advance(milliseconds = 0): void {
    const end = this.time + milliseconds;
    for (let steps = 0; steps < 100_000; steps++) {
      const [next] = this.#timers.sort((a, b) => a.at - b.at || a.order - b.order);
      if (!next || next.at > end) {
        this.time = end;
        return;
      }
      this.#timers.shift();
      this.time = Math.max(this.time, next.at);
      next.work();
    }
    throw new Error("timers that never end");
  }
}

export interface TestHome {
  home: Home;
  platform: TestPlatform;
  /** Sends a request as the admin unless told otherwise, and runs what is due until it is answered. */
  ask(verb: HomeRequest["verb"], path: string, more?: Partial<HomeRequest> & { object?: unknown }): Promise<Answer>;
  watch(path: string, options?: HomeRequest["options"], user?: User): WatchAnswer;
  /** Lets everything that is due, and its consequences, happen. */
  settle(milliseconds?: number): Promise<void>;
}

export interface Answer {
  code: number;
  body: any;
  text: string;
  warnings: string[];
}

/** A home without Durable Objects, on SQLite in memory. */
export function testHome(options: Partial<HomeOptions> & { admission?: readonly AdmissionPlugin[] } = {}): TestHome {
  const platform = (options.platform as TestPlatform | undefined) ?? new TestPlatform();
  const home = new Home({
    namespace: "default",
    admission: [],
    controllers: [],
    kinds: allKinds(),
    timeline: fakeTimeline([], () => revisionAt(platform.time + CLOCK_SKEW_MILLISECONDS)),
    ...options,
    platform,
  });
  const settle = async (milliseconds = 0) => {
    // Promises and timers take turns; a few rounds are more than any chain of them here is long.
    for (let i = 0; i < 10; i++) {
      platform.advance(i === 0 ? milliseconds : 0);
      for (let j = 0; j < 10; j++) await Promise.resolve();
    }
  };
  const namespace = options.namespace ?? "default";
  return {
    home,
    platform,
    settle,
    async ask(verb, path, { object, ...more } = {}) {
      const answered = home.handle({
        verb,
        user: ADMIN,
        target: targetOf(path, namespace),
        options: {},
        ...(object !== undefined && { body: JSON.stringify(object) }),
        ...more,
      });
      await settle();
      return await readAnswer(await answered);
    },
    watch: (path, watchOptions = {}, user = ADMIN) =>
      home.watch({ user, target: targetOf(path, namespace), options: watchOptions }),
  };
}

/** `pods/web/status`, `apps/v1/deployments/web`: with a group only where the group's version is in it. */
export function targetOf(path: string, namespace: string): Target {
  const parts = path.split("/");
  const isGrouped = /^v\d/.test(parts[1] ?? "");
  const [group, version] = isGrouped ? parts.splice(0, 2) : ["", "v1"];
  const [resource = "", name = "", subresource = ""] = parts;
  return { group: group!, version: version!, resource, namespace, name, subresource };
}

export async function readAnswer({ code, body, warnings = [] }: HomeAnswer): Promise<Answer> {
  const text = typeof body === "string" ? body : await new Response(body).text();
  return { code, body: JSON.parse(text), text, warnings };
}

/** Reads whole lines of a watch as they come; `take` waits for so many events. */
export function watchEvents(answer: WatchAnswer): {
  take(count: number): Promise<any[]>;
  rest(): Promise<any[]>;
  close(): Promise<void>;
} {
  if (!("events" in answer)) throw new Error(`no watch but ${answer.body}`);
  const reader = answer.events.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let done = false;
  const lines: any[] = [];
  const read = async () => {
    const chunk = await reader.read();
    done = chunk.done;
    text += decoder.decode(chunk.value);
    const parts = text.split("\n");
    text = parts.pop() as string;
    for (const part of parts) lines.push(JSON.parse(part));
  };
  return {
    async take(count) {
      while (lines.length < count && !done) await read();
      return lines.splice(0, count);
    },
    async rest() {
      while (!done) await read();
      return lines.splice(0);
    },
    close: () => reader.cancel(),
  };
}
