import type { KubeObject } from "../../api/object.ts";
import type { HomeAnswer, WatchAnswer } from "../protocol.ts";
import { statusOf } from "../verbs/answer.ts";
import { objectText } from "../verbs/object-text.ts";
import type { Served } from "../verbs/served.ts";
import { CustomServed } from "./custom-served.ts";

/** Completes what was answered about a custom resource: its versions' warning, and conversion by a webhook, which nothing synchronous can do. */
export async function completeAnswer(served: Served, answer: HomeAnswer): Promise<HomeAnswer> {
  if (!(served instanceof CustomServed)) return answer;
  const { deprecationWarning } = served.custom;
  const { warnings } = answer;
  const told = deprecationWarning ? { ...answer, warnings: [deprecationWarning, ...(warnings ?? [])] } : answer;
  if (!served.byWebhook || answer.code >= 300) return told;
  const text = typeof answer.body === "string" ? answer.body : await new Response(answer.body).text();
  return { ...told, body: await convertText(served, text) };
}

/** Of an object, or a list of objects, as they are stored. */
async function convertText(served: CustomServed, text: string): Promise<string> {
  const value = JSON.parse(text) as KubeObject & { items?: KubeObject[] };
  if (Array.isArray(value.items)) {
    const { items, ...rest } = value;
    const converted = await served.inServedVersion(items);
    return `${JSON.stringify(rest).slice(0, -1)},"items":[${converted.map(textOf).join(",")}]}`;
  }
  // A Scale or a Status is no object of the kind.
  if (value.kind !== served.info.kind || value.apiVersion === served.apiVersion) return text;
  return textOf((await served.inServedVersion([value]))[0]!);
}

const textOf = (object: KubeObject): string => {
  const { resourceVersion } = object.metadata;
  return objectText(object, resourceVersion === undefined ? undefined : Number(resourceVersion));
};

/** As `completeAnswer` for a watch: its lines are converted as they come, each chunk's together. */
export function completeWatch(served: Served, answer: WatchAnswer): WatchAnswer {
  if (!(served instanceof CustomServed) || !served.byWebhook || !("events" in answer)) return answer;
  return { code: 200, events: answer.events.pipeThrough(convertedLines(served)) };
}

interface Line {
  type: string;
  object: KubeObject;
}

function convertedLines(served: CustomServed): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return new TransformStream({
    async transform(chunk, controller) {
      // Chunks hold whole lines.
      const lines = decoder
        .decode(chunk)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
      const isObject = ({ type, object }: Line) =>
        type !== "ERROR" && type !== "BOOKMARK" && object.kind === served.info.kind;
      try {
        const objects = await served.inServedVersion(lines.filter(isObject).map(({ object }) => object));
        let next = 0;
        const text = lines.map((line) =>
          isObject(line)
            ? `{"type":${JSON.stringify(line.type)},"object":${textOf(objects[next++]!)}}\n`
            : `${JSON.stringify(line)}\n`,
        );
        controller.enqueue(encoder.encode(text.join("")));
      } catch (error) {
        controller.enqueue(encoder.encode(`${JSON.stringify({ type: "ERROR", object: statusOf(error) })}\n`));
        controller.terminate();
      }
    },
  });
}
