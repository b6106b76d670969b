import { complain } from "./field-checks.ts";
import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { type Complaints, dnsLabelComplaints, dnsSubdomainComplaints, SUBDOMAIN_LENGTH_MAX } from "./names.ts";

/** A domain, a slash, and the name of a resource of that domain with its namespace. */
const SIGNER_NAME_LENGTH_MAX = SUBDOMAIN_LENGTH_MAX + 1 + (SUBDOMAIN_LENGTH_MAX + 1 + 63);

/** `example.com/signer`: who signs certificates (pkg/apis/core/validation/names.go). */
export function validateSignerName(name: string, path: FieldPath, errors: FieldError[]): void {
  if (name === "") {
    errors.push(fieldRequired(path));
    return;
  }
  const [domain = "", rest = "", ...more] = name.split("/");
  if (!name.includes("/") || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(fieldInvalid(path, name, why));
    return;
  }
  if (domain.length > SUBDOMAIN_LENGTH_MAX) errors.push(fieldTooLong(path, SUBDOMAIN_LENGTH_MAX));
  checkParts(domain, dnsLabelComplaints, path, errors);
  if (!domain.includes(".")) {
    errors.push(fieldInvalid(path, domain, "should be a domain with at least two segments separated by dots"));
  }
  checkParts(rest, dnsSubdomainComplaints, path, errors);
  if (name.length > SIGNER_NAME_LENGTH_MAX) errors.push(fieldTooLong(path, SIGNER_NAME_LENGTH_MAX));
}

/** The first part that is wrong is told of; the others would say the same. */
function checkParts(
  text: string,
  complaintsOf: (part: string) => Complaints,
  path: FieldPath,
  errors: FieldError[],
): void {
  for (const part of text.split(".")) {
    const complaints = complaintsOf(part);
    if (complaints.length === 0) continue;
    complain(
      complaints.map((complaint) => `validating label ${JSON.stringify(part)}: ${complaint}`),
      text,
      path,
      errors,
    );
    return;
  }
}
