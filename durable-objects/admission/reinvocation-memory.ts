import { sameJson } from "../../api/equality.ts";
import type { KubeObject } from "../../api/object.ts";
import { copyOf } from "../verbs/scope.ts";
import type { Admission, Reinvocation } from "./plugin.ts";

/** What a mutating plugin has to remember until its second time: who may be asked again, and whether anything has changed since. */
export class ReinvocationMemory {
  readonly #reinvocation: Reinvocation;
  /** Asked already, and to be asked again once something changes. */
  readonly #asked = new Set<string>();
  readonly #due = new Set<string>();
  #left: KubeObject | undefined;

  private constructor(reinvocation: Reinvocation) {
    this.#reinvocation = reinvocation;
  }

  static of(admission: Admission, plugin: string): ReinvocationMemory {
    admission.reinvocation ??= { isSecond: false, isWanted: false, memories: new Map() };
    const { reinvocation } = admission;
    let memory = reinvocation.memories.get(plugin) as ReinvocationMemory | undefined;
    if (!memory) {
      memory = new ReinvocationMemory(reinvocation);
      reinvocation.memories.set(plugin, memory);
    }
    return memory;
  }

  /** The plugin's turn begins. */
  begin(object: Readonly<KubeObject>): void {
    if (this.#reinvocation.isSecond && !sameJson(object, this.#left)) this.#askAgain();
  }

  /** The second time nobody is asked for the first time. */
  isDue = (id: string): boolean => !this.#reinvocation.isSecond || this.#due.has(id);

  /** The object is another now. */
  hasChanged(): void {
    this.#askAgain();
    this.#reinvocation.isWanted = true;
  }

  mayBeAskedAgain(id: string): void {
    this.#asked.add(id);
  }

  end(object: Readonly<KubeObject>): void {
    if (!this.#reinvocation.isSecond) this.#left = copyOf(object);
  }

  #askAgain(): void {
    for (const id of this.#asked) this.#due.add(id);
    this.#asked.clear();
  }
}
