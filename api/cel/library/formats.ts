import { isOfFormat } from "../../custom/formats.ts";
import {
  type Complaints,
  dns1035LabelComplaints,
  dnsLabelComplaints,
  dnsSubdomainComplaints,
  labelValueComplaints,
  qualifiedNameComplaints,
} from "../../names.ts";
import { type CelFunction, celFunction, member, plain } from "../function.ts";
import type { Meter } from "../meter.ts";
import { FORMAT, listOf, optionalOf, STRING } from "../types.ts";
import { type CelValue, Instance, ListValue, NONE, Optional } from "../values.ts";
import { requestUriError } from "./urls.ts";

/** kubernetes.NamedFormat: what a string can be validated against. */
export class FormatValue extends Instance {
  readonly type = FORMAT;
  readonly name: string;
  /** How long its pattern is, for the cost. */
  readonly patternLength: number;
  readonly complaints: (text: string) => Complaints;

  constructor(name: string, patternLength: number, complaints: (text: string) => Complaints) {
    super();
    this.name = name;
    this.patternLength = patternLength;
    this.complaints = complaints;
  }

  equals(other: CelValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

/** A prefix of a name may end in a dash: upstream replaces the last two characters by one. */
const asPrefix =
  (complaints: (text: string) => Complaints) =>
  (text: string): Complaints =>
    complaints(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);

const ofFormat =
  (format: string, complaint: string) =>
  (text: string): Complaints =>
    isOfFormat(format, text) ? [] : [complaint];

const uri = (text: string): Complaints => {
  const error = requestUriError(text);
  return error === undefined ? [] : [error];
};

/** Upstream's lengths of patterns count into the cost. */
const FORMATS = new Map<string, FormatValue>([
  ["dns1123Label", new FormatValue("DNS1123Label", 30, dnsLabelComplaints)],
  ["dns1123Subdomain", new FormatValue("DNS1123Subdomain", 60, dnsSubdomainComplaints)],
  ["dns1035Label", new FormatValue("DNS1035Label", 30, dns1035LabelComplaints)],
  ["qualifiedName", new FormatValue("QualifiedName", 60, qualifiedNameComplaints)],
  ["dns1123LabelPrefix", new FormatValue("DNS1123LabelPrefix", 30, asPrefix(dnsLabelComplaints))],
  ["dns1123SubdomainPrefix", new FormatValue("DNS1123SubdomainPrefix", 60, asPrefix(dnsSubdomainComplaints))],
  ["dns1035LabelPrefix", new FormatValue("DNS1035LabelPrefix", 30, asPrefix(dns1035LabelComplaints))],
  ["labelValue", new FormatValue("LabelValue", 40, labelValueComplaints)],
  ["uri", new FormatValue("URI", 1103, uri)],
  ["uuid", new FormatValue("uuid", 70, ofFormat("uuid", "does not match the UUID format"))],
  ["byte", new FormatValue("byte", 84, ofFormat("byte", "invalid base64"))],
  ["date", new FormatValue("date", 71, ofFormat("date", "invalid date"))],
  ["datetime", new FormatValue("datetime", 71, ofFormat("datetime", "invalid datetime"))],
]);

function validate(format: FormatValue, text: string, meter: Meter): Optional {
  meter.work(text.length);
  const complaints = format.complaints(text);
  return complaints.length === 0 ? NONE : new Optional(new ListValue([...complaints]));
}

/** Kubernetes' named formats. */
export const FORMATS_LIBRARY: readonly CelFunction[] = [
  celFunction("format.named", [
    plain("format-named", [STRING], optionalOf(FORMAT), ([name]) => {
      const format = FORMATS.get(name as string);
      return format ? new Optional(format) : NONE;
    }),
  ]),
  celFunction("validate", [
    member("format-validate", [FORMAT, STRING], optionalOf(listOf(STRING)), ([format, text], meter) =>
      validate(format as FormatValue, text as string, meter),
    ),
  ]),
  ...[...FORMATS].map(([name, format]) =>
    celFunction(`format.${name}`, [plain(`format.${name}`, [], FORMAT, () => format)]),
  ),
];

/** For the paths of JSON patches. */
export const JSON_PATCH_LIBRARY: readonly CelFunction[] = [
  celFunction("jsonpatch.escapeKey", [
    plain("string_jsonpatch_escapeKey_string", [STRING], STRING, ([key], meter) => {
      meter.roomForText(2 * (key as string).length);
      return (key as string).replaceAll("~", "~0").replaceAll("/", "~1");
    }),
  ]),
];
