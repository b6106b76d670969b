import { ApiError } from "../../api/status.ts";
import type { HomeAnswer } from "../protocol.ts";
import { textAnswer } from "./answer.ts";
import { apply, checkPatchOptions } from "./apply.ts";
import { matchNamespace } from "./prepare.ts";
import type { Call } from "./scope.ts";
import { MAIN, matchName, type UpdateStrategy, updateObject } from "./update.ts";
import { commit } from "./write.ts";

/**
 * Applies a patch to the object as it is when its transaction runs. So a patch never conflicts, unless it names a resourceVersion.
 */
export async function patch(call: Call, strategy: UpdateStrategy = MAIN): Promise<HomeAnswer> {
  const { served, request, options, scope, warnings } = call;
  const { body = "", patchType, target } = request;
  if (!patchType) throw new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
  checkPatchOptions(options, patchType);
  if (patchType === "apply") return await apply(call, strategy);
  const json = await commit(call, (writing) =>
    updateObject(
      writing,
      served,
      target.name,
      (current) => {
        const patched = served.patch(patchType, current, body, options.fieldValidation);
        warnings.push(...patched.warnings);
        matchName(patched.object, target.name);
        matchNamespace(patched.object.metadata, scope.namespace);
        return served.complete(patched.object);
      },
      strategy,
    ),
  );
  return textAnswer(200, served.present(json), warnings);
}
