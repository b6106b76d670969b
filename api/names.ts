/**
 * What Kubernetes accepts as a name, a label, a key or a port, and the sentence it refuses each with
 * (k8s.io/apimachinery/pkg/util/validation). Each function answers what is wrong with a value: mostly nothing.
 */
export type Complaints = readonly string[];

const NONE: Complaints = [];

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = "[-._a-zA-Z0-9]+";
const HTTP_HEADER = "[-A-Za-z0-9]+";
const PERCENT = "[0-9]+%";
const UNDERSCORED_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const UNDERSCORED_SUBDOMAIN = `${UNDERSCORED_LABEL}(\\.${UNDERSCORED_LABEL})*`;
const CASELESS_LABEL = "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?";
const CASELESS_SUBDOMAIN = `${CASELESS_LABEL}(\\.${CASELESS_LABEL})*`;
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
const LABEL_RE = whole(LABEL);
// Bounded by the length check that always comes first: the pattern repeats a group, and names come from clients.
const SUBDOMAIN_RE = whole(SUBDOMAIN);
const LABEL_1035_RE = whole(LABEL_1035);
const QUALIFIED_RE = whole(QUALIFIED);
const CONFIG_KEY_RE = whole(CONFIG_KEY);
const HTTP_HEADER_RE = whole(HTTP_HEADER);
const PERCENT_RE = whole(PERCENT);
const UNDERSCORED_SUBDOMAIN_RE = whole(UNDERSCORED_SUBDOMAIN);
const CASELESS_SUBDOMAIN_RE = whole(CASELESS_SUBDOMAIN);
const WILDCARD_RE = whole(WILDCARD);
const HTTP_PATH_RE = whole(HTTP_PATH);

const LABEL_LENGTH_MAX = 63;
export const SUBDOMAIN_LENGTH_MAX = 253;
const PORT_NAME_LENGTH_MAX = 15;
/** What is far too long for any name is not worth matching. */
const MATCHED_LENGTH_MAX = 4096;

const tooLong = (max: number): string => `must be no more than ${max} characters`;
/** The newer of upstream's two ways to say it: of label keys and values. */
const tooManyBytes = (max: number): string => `must be no more than ${max} bytes`;
export const outOfRange = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;
const NON_EMPTY = "must be non-empty";

/** `<message> (e.g. 'a',  or 'b', regex used for validation is '…')`: the odd commas are upstream's. */
function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  const eg = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (${eg && `e.g. ${eg}`}regex used for validation is '${pattern}')`;
}

function check(
  value: string,
  max: number,
  pattern: RegExp,
  complaint: () => string,
  describeLength: (max: number) => string = tooLong,
): Complaints {
  const long = value.length > max;
  const matches = value.length <= MATCHED_LENGTH_MAX && pattern.test(value);
  if (!long && matches) return NONE;
  return [...(long ? [describeLength(max)] : []), ...(matches ? [] : [complaint()])];
}

/** An RFC 1123 label: the names of namespaces, containers, … */
export const dnsLabelComplaints = (value: string): Complaints => labelComplaints(value, tooLong);
/** The same, as upstream's declarative validation says it (`k8s-short-name`). */
export const shortNameComplaints = (value: string): Complaints => labelComplaints(value, tooManyBytes);

const labelComplaints = (value: string, describeLength: (max: number) => string): Complaints =>
  check(
    value,
    LABEL_LENGTH_MAX,
    LABEL_RE,
    () =>
      value.length <= SUBDOMAIN_LENGTH_MAX && SUBDOMAIN_RE.test(value)
        ? "must not contain dots"
        : patternMessage(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            LABEL,
            "my-name",
            "123-abc",
          ),
    describeLength,
  );

/** An RFC 1123 subdomain: the names of most objects. */
export const dnsSubdomainComplaints = (value: string): Complaints => subdomainComplaints(value, tooLong);
/** The same, as upstream's declarative validation says it (`k8s-long-name`). */
export const longNameComplaints = (value: string): Complaints => subdomainComplaints(value, tooManyBytes);

const subdomainComplaints = (value: string, describeLength: (max: number) => string): Complaints =>
  check(
    value,
    SUBDOMAIN_LENGTH_MAX,
    SUBDOMAIN_RE,
    () =>
      patternMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        "example.com",
      ),
    describeLength,
  );

/** As a subdomain, with upper case letters (`k8s-long-name-caseless`). */
export const caselessNameComplaints = (value: string): Complaints =>
  check(
    value,
    SUBDOMAIN_LENGTH_MAX,
    CASELESS_SUBDOMAIN_RE,
    () =>
      patternMessage(
        "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        // Upstream shows the pattern without its (?i).
        SUBDOMAIN,
        "Example.com",
      ),
    tooManyBytes,
  );

/** As a subdomain, with underscores (what `dnsConfig.searches` may hold). */
export const underscoredSubdomainComplaints = (value: string): Complaints =>
  check(value, SUBDOMAIN_LENGTH_MAX, UNDERSCORED_SUBDOMAIN_RE, () =>
    patternMessage(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      UNDERSCORED_SUBDOMAIN,
      "example.com",
    ),
  );

export const wildcardSubdomainComplaints = (value: string): Complaints =>
  check(value, SUBDOMAIN_LENGTH_MAX, WILDCARD_RE, () =>
    patternMessage(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      WILDCARD,
      "*.example.com",
    ),
  );

/** An RFC 1035 label: the names of services. */
export const dns1035LabelComplaints = (value: string): Complaints =>
  check(value, LABEL_LENGTH_MAX, LABEL_1035_RE, () =>
    patternMessage(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      LABEL_1035,
      "my-name",
      "abc-123",
    ),
  );

const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedMessage = (): string => patternMessage(QUALIFIED_MESSAGE, QUALIFIED, "MyName", "my.name", "123-abc");

/** A label key, an annotation key (lower-cased first), a finalizer, a resource name: `[prefix/]name`. */
export function qualifiedNameComplaints(value: string): Complaints {
  const slash = value.indexOf("/");
  if (slash === -1) return namePartComplaints(value);
  if (value.indexOf("/", slash + 1) !== -1) {
    return [
      `a valid label key ${qualifiedMessage()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const prefix = value.slice(0, slash);
  const ofPrefix = prefix === "" ? [NON_EMPTY] : subdomainComplaints(prefix, tooManyBytes);
  const ofName = namePartComplaints(value.slice(slash + 1));
  return ofPrefix.length === 0 ? ofName : [...ofPrefix.map((complaint) => `prefix part ${complaint}`), ...ofName];
}

function namePartComplaints(name: string): Complaints {
  const long = name.length > LABEL_LENGTH_MAX;
  const matches = name.length <= MATCHED_LENGTH_MAX && QUALIFIED_RE.test(name);
  if (!long && matches) return NONE;
  return [
    ...(name === "" ? [`name part ${NON_EMPTY}`] : []),
    ...(long ? [`name part ${tooManyBytes(LABEL_LENGTH_MAX)}`] : []),
    ...(matches ? [] : [`name part ${qualifiedMessage()}`]),
  ];
}

export const labelValueComplaints = (value: string): Complaints =>
  value === ""
    ? NONE
    : check(
        value,
        LABEL_LENGTH_MAX,
        QUALIFIED_RE,
        () =>
          patternMessage(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            LABEL_VALUE,
            "MyValue",
            "my_value",
            "12345",
          ),
        tooManyBytes,
      );

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function configKeyComplaints(value: string): Complaints {
  const complaints = check(value, SUBDOMAIN_LENGTH_MAX, CONFIG_KEY_RE, () =>
    patternMessage(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      CONFIG_KEY,
      "key.name",
      "KEY_NAME",
      "key-name",
    ),
  );
  if (!value.startsWith(".")) return complaints;
  if (value === ".") return [...complaints, "must not be '.'"];
  if (value === "..") return [...complaints, "must not be '..'"];
  if (value.startsWith("..")) return [...complaints, "must not start with '..'"];
  return complaints;
}

/** The name of an environment variable: anything printable in ASCII but `=`. */
export function envNameComplaints(value: string): Complaints {
  if (value === "") return [`environment variable name ${NON_EMPTY}`];
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return NONE;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export const httpHeaderComplaints = (value: string): Complaints =>
  HTTP_HEADER_RE.test(value)
    ? NONE
    : [
        patternMessage(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HTTP_HEADER,
          "X-Header-Name",
        ),
      ];

export const percentComplaints = (value: string): Complaints =>
  PERCENT_RE.test(value)
    ? NONE
    : [
        patternMessage(
          "a valid percent string must be a numeric string followed by an ending '%'",
          PERCENT,
          "1%",
          "93%",
        ),
      ];

export const portComplaints = (port: number): Complaints =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? NONE : [outOfRange(1, 65535)];

/** An IANA service name, as ports are called. */
export function portNameComplaints(value: string): Complaints {
  const complaints: string[] = [];
  if (value.length > PORT_NAME_LENGTH_MAX) complaints.push(tooLong(PORT_NAME_LENGTH_MAX));
  if (!/^[-a-z0-9]+$/.test(value)) {
    complaints.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) complaints.push("must contain at least one letter (a-z)");
  if (value.includes("--")) complaints.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) complaints.push("must not begin or end with a hyphen");
  return complaints;
}

/** A name that only has to fit into a URL path: RBAC's objects. */
export function pathSegmentComplaints(value: string): Complaints {
  if (value === ".") return [`may not be '.'`];
  if (value === "..") return [`may not be '..'`];
  return ["/", "%"].filter((bad) => value.includes(bad)).map((bad) => `may not contain '${bad}'`);
}

/** `acme.io/foo`: a domain, a slash and a path. Answers what to say of which part. */
export function domainPathComplaints(value: string): { part: string; complaint: string }[] {
  const slash = value.indexOf("/");
  if (slash <= 0 || slash === value.length - 1) {
    return [{ part: value, complaint: 'must be a domain-prefixed path (such as "acme.io/foo")' }];
  }
  const [host, path] = [value.slice(0, slash), value.slice(slash + 1)];
  return [
    ...dnsSubdomainComplaints(host).map((complaint) => ({ part: host, complaint })),
    ...(HTTP_PATH_RE.test(path) ? [] : [{ part: path, complaint: patternMessage("Invalid path", HTTP_PATH) }]),
  ];
}

const GENERATED_LENGTH_MAX = 63;

/** What `metadata.generateName` becomes; `suffix`: five random letters and digits. As upstream, cut to 63 characters. */
export const generatedName = (generateName: string, suffix: string): string =>
  generateName.slice(0, GENERATED_LENGTH_MAX - suffix.length) + suffix;
