import type { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { deleteObject } from "./delete.ts";
import { deleteOptionsOf } from "./delete-options.ts";
import { currentVersion } from "./resource-version.ts";
import { selectionOf, selects } from "./selection.ts";
import { commit, type WriteCall } from "./write.ts";

/** Objects deleted in one transaction; between two of them other requests have their turn. */
const DELETES_PER_TRANSACTION = 100;

/** Deletes what the selectors select, some at a time; answers the list of what it deleted or marked. */
export async function deleteCollection(call: WriteCall): Promise<HomeAnswer> {
  const { served, request, options, scope } = call;
  const deleteOptions = deleteOptionsOf(request);
  const selection = selectionOf(options, served.rules, scope.namespace);
  const dryRun = { ...call, options: { ...options, dryRun: deleteOptions.dryRun } };
  const items: string[] = [];
  let after = "";
  for (;;) {
    const page = await commit(dryRun, (writing) => {
      const stored = writing.tx.list(served.resource, { after, limit: DELETES_PER_TRANSACTION });
      for (const each of stored) {
        if (!selects(selection, each)) continue;
        try {
          const { json } = writing.tx.attempt(() => deleteObject(writing, served, each.name, deleteOptions));
          items.push(served.present(json));
        } catch (error) {
          // One that a precondition or an admission plugin protects: upstream stops here too, with this answer.
          return { last: each.name, refusal: error as ApiError, isEnd: true };
        }
      }
      return { last: stored.at(-1)?.name ?? "", refusal: undefined, isEnd: stored.length < DELETES_PER_TRANSACTION };
    });
    if (page.refusal) throw page.refusal;
    if (page.isEnd) break;
    after = page.last;
  }
  const version = currentVersion(scope.store.revision);
  const head = `{"kind":"${served.info.kind}List","apiVersion":"${served.apiVersion}","metadata":{"resourceVersion":"${version}"}`;
  return textAnswer(200, `${head},"items":[${items.join(",")}]}`);
}
