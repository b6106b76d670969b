import type { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { NeedsAnswers } from "./answers.ts";
import { clientDeletion, deleteObject } from "./delete.ts";
import { currentVersion } from "./resource-version.ts";
import type { Call } from "./scope.ts";
import { selectionOf, selects } from "./selection.ts";
import { commit } from "./write.ts";

/** Objects deleted in one transaction; between two of them other requests have their turn. */
const DELETES_PER_TRANSACTION = 100;

/** Deletes what the selectors select, some at a time; answers the list of what it deleted or marked. */
export async function deleteCollection(call: Call): Promise<HomeAnswer> {
  const { served, options, scope } = call;
  const deleteOptions = clientDeletion(call);
  const selection = selectionOf(options, served.rules, scope.namespace);
  const dryRun = { ...call, options: { ...options, dryRun: deleteOptions.dryRun } };
  const items: string[] = [];
  let after = "";
  for (;;) {
    const page = await commit(dryRun, (writing) => {
      const stored = writing.tx.list(served.resource, { after, limit: DELETES_PER_TRANSACTION });
      const deleted: string[] = [];
      let last = after;
      for (const each of stored) {
        if (!selects(selection, each)) {
          last = each.name;
          continue;
        }
        try {
          writing.tx.attempt(() => deleteObject(writing, served, each.name, deleteOptions));
          // As upstream: what was listed, not what has become of it.
          deleted.push(served.present(each.json));
          last = each.name;
        } catch (error) {
          if (error instanceof NeedsAnswers) {
            // What is decided already is committed; the next transaction begins with this one.
            if (deleted.length === 0) throw error;
            return { deleted, last, refusal: undefined, isEnd: false };
          }
          // One that a precondition or an admission plugin protects: upstream stops here too, with this answer.
          return { deleted, last, refusal: error as ApiError, isEnd: true };
        }
      }
      return { deleted, last, refusal: undefined, isEnd: stored.length < DELETES_PER_TRANSACTION };
    });
    items.push(...page.deleted);
    if (page.refusal) throw page.refusal;
    if (page.isEnd) break;
    after = page.last;
  }
  const version = currentVersion(scope.store.revision);
  const head = `{"kind":"${served.listKind}","apiVersion":"${served.apiVersion}","metadata":{"resourceVersion":"${version}"}`;
  return textAnswer(200, `${head},"items":[${items.join(",")}]}`, call.warnings);
}
