import { areLonger } from "../byte-length.ts";
import { type FieldError, fieldInvalid, fieldTooLong } from "../field-error.ts";

const FIELD_MANAGER_BYTES_MAX = 128;
const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
const ALL_PRINTABLE = /^[ -~]*$/;

/** What is wrong with a field manager's name: it is too long, or has characters that cannot be printed (metav1 ValidateFieldManager). */
export function validateFieldManager(name: string, field: { toString(): string }): FieldError[] {
  const errors: FieldError[] = [];
  if (areLonger([name], FIELD_MANAGER_BYTES_MAX)) errors.push(fieldTooLong(field, FIELD_MANAGER_BYTES_MAX));
  if (ALL_PRINTABLE.test(name)) return errors;
  let position = 0;
  for (const character of name) {
    if (!PRINTABLE.test(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      errors.push(fieldInvalid(field, name, `invalid character U+${code} (at position ${position})`));
    }
    position += new TextEncoder().encode(character).length;
  }
  return errors;
}
