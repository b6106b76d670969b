import type { ICronJobSpec } from "kubernetes-models/batch/v1/CronJobSpec";
import type { ICronJobStatus } from "kubernetes-models/batch/v1/CronJobStatus";
import { ageSince } from "../duration.ts";
import { checkRequired, checkSupported } from "../field-checks.ts";
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import type { KubeObject } from "../object.ts";
import { validateNonNegative } from "../object-meta.ts";
import { setPodTemplateDefaults } from "../pod-template/defaults.ts";
import { formatLabelSelector } from "../selector.ts";
import { AGE } from "../table.ts";
import { scheduleComplaint } from "./cron-schedule.ts";
import { defineKind } from "./define-kind.ts";
import { validateJobSpec } from "./job.ts";
import { keepStatus, startStatus } from "./status.ts";
import { containerColumns } from "./workload.ts";

export interface CronJobObject extends KubeObject {
  spec: ICronJobSpec;
  status?: ICronJobStatus;
}

/** The jobs' names are this one's and eleven characters more. */
const NAME_LENGTH_MAX = 52;
const JOB_SPEC = SPEC.child("jobTemplate").child("spec");

/** Jobs made by the clock. */
export const CronJob = defineKind<CronJobObject>("batch/v1", "CronJob", {
  resource: "cronjobs",
  columns: [
    { name: "Schedule", description: "When, as cron has it.", value: ({ spec }) => spec.schedule ?? "" },
    { name: "Timezone", description: "Whose clock.", value: ({ spec }) => spec.timeZone ?? "<none>" },
    {
      name: "Suspend",
      type: "boolean",
      description: "Whether no more jobs are made.",
      value: ({ spec }) => (spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False"),
    },
    {
      name: "Active",
      type: "integer",
      description: "Jobs running.",
      value: ({ status }) => status?.active?.length ?? 0,
    },
    {
      name: "Last Schedule",
      description: "When the last job was made.",
      value: ({ status }, now) => (status?.lastScheduleTime ? ageSince(status.lastScheduleTime, now) : "<none>"),
    },
    AGE,
    ...containerColumns<CronJobObject>(({ spec }) => spec.jobTemplate?.spec?.template?.spec?.containers),
    {
      name: "Selector",
      priority: 1,
      description: "Label selector of the jobs' pods.",
      value: ({ spec }) => formatLabelSelector(spec.jobTemplate?.spec?.selector),
    },
  ],
  setDefaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    // The Job's own defaults are set when there is a Job.
    setPodTemplateDefaults(spec.jobTemplate?.spec?.template);
  },
  prepareForCreate: startStatus({}),
  prepareForUpdate: keepStatus,
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    if ((metadata.name ?? "").length > NAME_LENGTH_MAX) {
      errors.push(
        fieldInvalid(METADATA.child("name"), metadata.name, `must be no more than ${NAME_LENGTH_MAX} characters`),
      );
    }
    if (checkRequired(spec.schedule, SPEC.child("schedule"), errors)) validateSchedule(spec.schedule, errors);
    if (spec.timeZone !== undefined) validateTimeZone(spec.timeZone, errors);
    validateNonNegative(spec.startingDeadlineSeconds, SPEC.child("startingDeadlineSeconds"), errors);
    const policyAt = SPEC.child("concurrencyPolicy");
    if (checkRequired(spec.concurrencyPolicy, policyAt, errors)) {
      checkSupported(spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"], policyAt, errors);
    }
    validateNonNegative(spec.successfulJobsHistoryLimit, SPEC.child("successfulJobsHistoryLimit"), errors);
    validateNonNegative(spec.failedJobsHistoryLimit, SPEC.child("failedJobsHistoryLimit"), errors);
    const job = spec.jobTemplate?.spec;
    if (!job) errors.push(fieldRequired(JOB_SPEC));
    else {
      validateJobSpec(job, JOB_SPEC, errors);
      if (job.selector)
        errors.push(fieldInvalid(JOB_SPEC.child("selector"), job.selector, "`selector` will be auto-generated"));
      if (job.manualSelector)
        errors.push(fieldNotSupported(JOB_SPEC.child("manualSelector"), job.manualSelector, ["nil", "false"]));
    }
    return errors;
  },
  hasGeneration: true,
});

function validateSchedule(schedule: string, errors: FieldError[]): void {
  const at = SPEC.child("schedule");
  const complaint = /^(CRON_)?TZ=/.test(schedule) ? undefined : scheduleComplaint(schedule);
  if (complaint) errors.push(fieldInvalid(at, schedule, complaint));
  if (schedule.includes("TZ")) {
    errors.push(fieldInvalid(at, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  }
}

function validateTimeZone(zone: string, errors: FieldError[]): void {
  const at = SPEC.child("timeZone");
  if (zone === "") {
    errors.push(fieldInvalid(at, zone, "timeZone must be nil or non-empty string"));
    return;
  }
  try {
    if (zone.toLowerCase() === "local") throw new Error("of the machine");
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    errors.push(
      fieldInvalid(
        at,
        zone,
        zone.toLowerCase() === "local"
          ? "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
          : `unknown time zone ${zone}`,
      ),
    );
  }
}
