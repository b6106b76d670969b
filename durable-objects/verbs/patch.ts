import { applyPatch } from "../../api/patch/apply-patch.ts";
import { convert } from "../../api/schema/convert.ts";
import { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { complete } from "./prepare.ts";
import { copyOf } from "./scope.ts";
import { MAIN, matchName, type UpdateStrategy, updateObject } from "./update.ts";
import { commit, type WriteCall } from "./write.ts";

/**
 * Applies a patch to the object as it is when its transaction runs. So a patch never conflicts, unless it names a resourceVersion.
 */
export async function patch(call: WriteCall, strategy: UpdateStrategy = MAIN): Promise<HomeAnswer> {
  const { served, request, options } = call;
  const { body = "", patchType, target } = request;
  if (!patchType) throw new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
  let warnings: string[] = [];
  const json = await commit(call, (writing) =>
    updateObject(
      writing,
      served,
      target.name,
      (current) => {
        const shown = served.storage === served.info ? current.object : convert(copyOf(current.object), served.info);
        const patched = applyPatch(patchType, served.info, shown, body, options.fieldValidation);
        warnings = patched.warnings;
        matchName(patched.object, target.name);
        return complete(served, patched.object);
      },
      strategy,
    ),
  );
  return textAnswer(200, served.present(json), warnings);
}
