import { assert } from "../../api/assert.ts";
import type { PartialUpdate } from "../../api/kind.ts";
import type { Served } from "./served.ts";
import { STATUS, type UpdateStrategy } from "./update.ts";

/** A subresource that is a part of the object: the kind's rules say which part, and what may become of it. */
export function partialUpdate(subresource: string): UpdateStrategy {
  const rulesOf = ({ rules }: Served): PartialUpdate<any> => {
    const found = rules.partialUpdates?.[subresource];
    assert(found, `no rules for ${subresource}`);
    return found;
  };
  return {
    subresource,
    keep(next, previous, served, now) {
      const given = structuredClone({ spec: next["spec"], status: next["status"] });
      // Of the metadata it takes what `status` takes.
      STATUS.keep(next, previous, served, now);
      Object.assign(next, given);
      rulesOf(served).keep(next, previous, now);
    },
    validate: (next, previous, served, warnings) => [
      ...served.validate(next, warnings, previous),
      ...rulesOf(served).validate(next, previous),
    ],
  };
}
