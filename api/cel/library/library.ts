import { type CelFunction, functionTable } from "../function.ts";
import { AUTHORIZER_LIBRARY } from "./authorizer.ts";
import { CLOCK_LIBRARY } from "./clock.ts";
import { FORMATS_LIBRARY, JSON_PATCH_LIBRARY } from "./formats.ts";
import { LISTS_EXTENSION, LISTS_LIBRARY, SETS_LIBRARY } from "./lists.ts";
import { NETWORK_LIBRARY } from "./network.ts";
import { OPTIONALS_LIBRARY } from "./optionals.ts";
import { REGEX_LIBRARY } from "./patterns.ts";
import { QUANTITY_LIBRARY } from "./quantity.ts";
import { SEMVER_LIBRARY } from "./semver.ts";
import { STANDARD } from "./standard.ts";
import { STRINGS_LIBRARY } from "./strings.ts";
import { URLS_LIBRARY } from "./urls.ts";

/** What Kubernetes v1.36 has in every expression (environment/base.go), by name. */
export const FUNCTIONS: ReadonlyMap<string, CelFunction> = functionTable([
  ...STANDARD,
  ...CLOCK_LIBRARY,
  ...OPTIONALS_LIBRARY,
  ...URLS_LIBRARY,
  ...REGEX_LIBRARY,
  ...LISTS_LIBRARY,
  ...AUTHORIZER_LIBRARY,
  ...QUANTITY_LIBRARY,
  ...STRINGS_LIBRARY,
  ...SETS_LIBRARY,
  ...NETWORK_LIBRARY,
  ...FORMATS_LIBRARY,
  ...SEMVER_LIBRARY,
  ...LISTS_EXTENSION,
]);

/** What expressions of mutation have besides. */
export const MUTATION_FUNCTIONS: ReadonlyMap<string, CelFunction> = functionTable(JSON_PATCH_LIBRARY);
