import {
  type FlowObject,
  type FlowRequest,
  flowConfiguration,
  type Schema,
} from "../../api/flow-control/configuration.ts";
import { FlowController, type FlowControllerOptions, type Seat } from "../../api/flow-control/flow-controller.ts";
import type { FlowSchemaSpec, PriorityLevelSpec } from "../../api/flow-control/specs.ts";
import { resourceName } from "../../api/status.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { HomeAnswer, HomeRequest, RequestOptions, Verb, WatchAnswer, WatchRequest } from "../protocol.ts";
import { refusalAnswer } from "../verbs/answer.ts";

/**
 * Upstream's 400 requests that read and 200 that write are for a server of many cores, whose etcd does the work. An object has one thread: a
 * quarter of it is a dozen large lists at a time, or more writes than a commit needs to gather.
 */
const SEATS = 150;
/** Objects that a list looks at for each seat it takes, as upstream. */
const OBJECTS_PER_SEAT = 100;
/** A reader that does not read its list does not keep others from theirs for longer. */
const STREAM_MILLISECONDS_MAX = 60_000;

export interface FlowGateOptions extends Pick<FlowControllerOptions, "later"> {
  catalog(): Catalog;
  /** How many objects there are of a resource; Infinity: nobody knows. */
  countOf(resource: string): number;
  /** The catalog is wanted, if not at once. Called often. */
  learn?: (() => void) | undefined;
}

const SCHEMAS = "flowschemas.flowcontrol.apiserver.k8s.io";
const LEVELS = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io";

/**
 * Where the requests of an object pass one by one. The limits are here, and not in the worker: each of the worker's many isolates sees its own
 * requests alone, while all that is asked of a home meets in its one thread.
 */
export class FlowGate {
  readonly #options: FlowGateOptions;
  readonly #controller: FlowController;
  #schemas: unknown;
  #levels: unknown;

  constructor(options: FlowGateOptions) {
    this.#options = options;
    this.#controller = new FlowController({ seats: SEATS, later: options.later });
  }

  /** Carries out a request when its turn comes. */
  async handle(request: HomeRequest, work: () => Promise<HomeAnswer>): Promise<HomeAnswer> {
    const flow = flowOf(request, request.verb);
    const schema = this.#classify(flow);
    if (schema.level.isExempt) return marked(await work(), schema);
    let seat: Seat;
    try {
      const entered = this.#controller.enter(schema, flow, this.#width(request.verb, request));
      seat = entered instanceof Promise ? await entered : entered;
    } catch (error) {
      return marked(refusalAnswer(error), schema);
    }
    let answer: HomeAnswer;
    try {
      answer = await work();
    } catch (error) {
      seat.leave();
      throw error;
    }
    if (typeof answer.body === "string") seat.leave();
    else answer.body = this.#whileRead(answer.body, seat);
    return marked(answer, schema);
  }

  /** As `handle`: a watch has its seat only while it begins. */
  async watch(request: WatchRequest, work: () => Promise<WatchAnswer>): Promise<WatchAnswer> {
    const flow = flowOf(request, "watch");
    const schema = this.#classify(flow);
    if (schema.level.isExempt) return marked(await work(), schema);
    let seat: Seat;
    try {
      const width = beginsWithAll(request.options) ? this.#width("list", request) : 1;
      seat = await this.#controller.enter(schema, flow, width);
    } catch (error) {
      return marked(refusalAnswer(error) as WatchAnswer, schema);
    }
    try {
      return marked(await work(), schema);
    } finally {
      seat.leave();
    }
  }

  #classify(flow: FlowRequest): Schema {
    this.#configure();
    const schema = this.#controller.classify(flow);
    if (!schema.level.isExempt) this.#options.learn?.();
    return schema;
  }

  #configure(): void {
    const catalog = this.#options.catalog();
    const schemas = catalog.objects(SCHEMAS);
    const levels = catalog.objects(LEVELS);
    if (schemas === this.#schemas && levels === this.#levels) return;
    this.#schemas = schemas;
    this.#levels = levels;
    this.#controller.configure(
      flowConfiguration(
        schemas as readonly FlowObject<FlowSchemaSpec>[],
        levels as readonly FlowObject<PriorityLevelSpec>[],
      ),
    );
  }

  #width(verb: Verb, { target, options }: WatchRequest): number {
    if (verb !== "list" && verb !== "deletecollection") return 1;
    const { labelSelector, fieldSelector, limit } = options;
    if (fieldSelector?.startsWith(ONE)) return 1;
    const count = this.#options.countOf(resourceName(target));
    const answered = Math.min(limit || count, count);
    // All have to be looked at to find those that are selected.
    const looked = labelSelector || fieldSelector ? count + answered : answered;
    return Math.max(1, Math.ceil(looked / OBJECTS_PER_SEAT));
  }

  #whileRead(stream: ReadableStream<Uint8Array>, seat: Seat): ReadableStream<Uint8Array> {
    const reader = stream.getReader();
    const cancelTimer = this.#options.later(STREAM_MILLISECONDS_MAX, () => seat.leave());
    const ended = () => {
      cancelTimer();
      seat.leave();
    };
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const { value, done } = await reader.read();
            if (!done) controller.enqueue(value);
            else {
              ended();
              controller.close();
            }
          } catch (error) {
            ended();
            throw error;
          }
        },
        async cancel(reason) {
          ended();
          await reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }
}

const ONE = "metadata.name=";

const flowOf = (
  { user, target: { group, resource, subresource, namespace } }: WatchRequest,
  verb: string,
): FlowRequest => ({
  user,
  verb,
  group,
  resource,
  subresource,
  namespace,
});

/** Whether a watch is told all objects first. */
const beginsWithAll = ({ sendInitialEvents, resourceVersion = "" }: RequestOptions): boolean =>
  sendInitialEvents === true || resourceVersion === "" || resourceVersion === "0";

/** Names what the request was judged by, where that is known. */
function marked<Marked extends HomeAnswer | WatchAnswer>(answer: Marked, { uid, level }: Schema): Marked {
  if (uid !== "" && level.uid !== "") answer.flow = { schemaUid: uid, levelUid: level.uid };
  return answer;
}
