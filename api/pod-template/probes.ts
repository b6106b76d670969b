import { checkPortOrName, checkRequired, checkSupported, complain } from "../field-checks.ts";
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { httpHeaderComplaints } from "../names.ts";
import { validateNonNegative } from "../object-meta.ts";
import type { Container } from "./types.ts";

type Probe = NonNullable<Container["livenessProbe"]>;
type Lifecycle = NonNullable<Container["lifecycle"]>;
type Handler = NonNullable<Lifecycle["preStop"]> & Pick<Probe, "grpc">;

const ACTIONS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

export function validateProbes(
  container: Container,
  graceSeconds: number,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  if (lifecycle?.postStart)
    validateHandler(lifecycle.postStart, graceSeconds, path.child("lifecycle").child("postStart"), errors);
  if (lifecycle?.preStop)
    validateHandler(lifecycle.preStop, graceSeconds, path.child("lifecycle").child("preStop"), errors);
  if (livenessProbe) {
    validateProbe(livenessProbe, graceSeconds, path.child("livenessProbe"), errors);
    checkOneSuccess(livenessProbe, path.child("livenessProbe"), errors);
  }
  if (readinessProbe) {
    const at = path.child("readinessProbe");
    validateProbe(readinessProbe, graceSeconds, at, errors);
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (grace !== undefined && grace !== null) {
      errors.push(
        fieldInvalid(at.child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes"),
      );
    }
  }
  if (startupProbe) {
    validateProbe(startupProbe, graceSeconds, path.child("startupProbe"), errors);
    checkOneSuccess(startupProbe, path.child("startupProbe"), errors);
  }
}

function checkOneSuccess({ successThreshold }: Probe, path: FieldPath, errors: FieldError[]): void {
  if (successThreshold !== 1) errors.push(fieldInvalid(path.child("successThreshold"), successThreshold, "must be 1"));
}

const COUNTS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function validateProbe(probe: Probe, graceSeconds: number, path: FieldPath, errors: FieldError[]): void {
  validateHandler(probe, graceSeconds, path, errors);
  for (const count of COUNTS) validateNonNegative(probe[count], path.child(count), errors);
  const grace = probe.terminationGracePeriodSeconds;
  if (typeof grace === "number" && grace <= 0) {
    errors.push(fieldInvalid(path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"));
  }
}

function validateHandler(handler: Handler, graceSeconds: number, path: FieldPath, errors: FieldError[]): void {
  let seen = false;
  for (const action of ACTIONS) {
    if (!handler[action]) continue;
    const at = path.child(action);
    if (seen) errors.push(fieldForbidden(at, "may not specify more than 1 handler type"));
    else validateAction(action, handler, graceSeconds, at, errors);
    seen = true;
  }
  if (!seen) errors.push(fieldRequired(path, "must specify a handler type"));
}

function validateAction(
  action: (typeof ACTIONS)[number],
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  graceSeconds: number,
  path: FieldPath,
  errors: FieldError[],
): void {
  switch (action) {
    case "exec":
      if (!exec!.command?.length) errors.push(fieldRequired(path.child("command")));
      return;
    case "httpGet":
      checkRequired(httpGet!.path, path.child("path"), errors);
      checkPortOrName(httpGet!.port, path.child("port"), errors);
      checkSupported(httpGet!.scheme, ["HTTP", "HTTPS"], path.child("scheme"), errors);
      for (const { name } of httpGet!.httpHeaders ?? []) {
        complain(httpHeaderComplaints(name), name, path.child("httpHeaders"), errors);
      }
      return;
    case "tcpSocket":
      checkPortOrName(tcpSocket!.port, path.child("port"), errors);
      return;
    case "grpc":
      checkPortOrName(grpc!.port, path.child("port"), errors);
      return;
    case "sleep":
      if (sleep!.seconds < 0 || sleep!.seconds > graceSeconds) {
        const bound = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
        errors.push(fieldInvalid(path, sleep!.seconds, bound));
      }
  }
}
