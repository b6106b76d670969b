import { notFound } from "../../api/status.ts";
import { printMoment } from "../../api/time-travel.ts";
import { authorize } from "../admission/authorize.ts";
import type { HistoryRequest, HomeAnswer } from "../protocol.ts";
import { timeOfRevision } from "../revision.ts";
import { refusalAnswer, textAnswer } from "./answer.ts";
import type { HomeScope } from "./scope.ts";
import { servedIn } from "./served.ts";

/** Versions in one answer. */
const VERSIONS_MAX = 100;
/** Of all texts of one answer together; one version is told whatever its length. */
const ANSWER_CHARS_MAX = 8 << 20;
/** Versions read at a time. */
const READ_VERSIONS = 4;

/**
 * What became of one object, the newest version first: `{"kind":"ObjectHistory","items":[{revision, time, author, type, object}]}`. Of a deletion,
 * `object` is its last state. Whoever may get the object may see this. Never throws: refusals and bugs are answers.
 */
export function history(scope: HomeScope, { user, target, limit }: HistoryRequest): HomeAnswer {
  try {
    const served = servedIn(scope.catalog, target);
    authorize(scope, { verb: "get", user, target, options: {} });
    const most = Math.min(limit, VERSIONS_MAX);
    let before: number | undefined;
    const items: string[] = [];
    for (let chars = 0; items.length < most && chars < ANSWER_CHARS_MAX; ) {
      const page = { limit: Math.min(READ_VERSIONS, most - items.length), ...(before !== undefined && { before }) };
      const versions = scope.store.versions(served.resource, target.name, page);
      for (const { revision, type, author, json } of versions) {
        if (items.length > 0 && chars + json.length > ANSWER_CHARS_MAX) return answerOf(items);
        const time = printMoment(timeOfRevision(revision));
        items.push(
          `${JSON.stringify({ revision, time, author, type }).slice(0, -1)},"object":${served.present(json)}}`,
        );
        chars += json.length;
        before = revision;
      }
      if (versions.length < page.limit) break;
    }
    if (items.length === 0) throw notFound(served.groupResource, target.name);
    return answerOf(items);
  } catch (error) {
    return refusalAnswer(error);
  }
}

const answerOf = (items: readonly string[]): HomeAnswer =>
  textAnswer(200, `{"kind":"ObjectHistory","items":[${items.join(",")}]}`);
