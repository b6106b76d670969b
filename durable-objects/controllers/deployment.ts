import { sameJson } from "../../api/equality.ts";
import { Deployment, type DeploymentObject } from "../../api/kinds/deployment.ts";
import { Pod } from "../../api/kinds/pod.ts";
import { ReplicaSet, type ReplicaSetObject } from "../../api/kinds/replica-set.ts";
import { labelSelectorMatcher } from "../../api/selector.ts";
import { claim } from "./claim.ts";
import { type Condition, findCondition, withCondition } from "./conditions.ts";
import { type Context, controllerOf, defineController, type Plan, type View, type Write } from "./controller.ts";
import {
  byAge,
  changedSet,
  type Draft,
  newReplicaSet,
  partition,
  REVISION,
  revisionOf,
  syncCurrent,
} from "./deployment-replica-sets.ts";
import {
  type Available,
  currentReplicas,
  desiredReplicas,
  isRollingUpdate,
  isScalingEvent,
  rollingStep,
  scaleInProportion,
  scaleTo,
} from "./deployment-scaling.ts";
import {
  estimateProgress,
  hasDeadline,
  isComplete,
  observe,
  progressing,
  renderStatus,
  type Status,
} from "./deployment-status.ts";
import { isActive, isAvailable, isTerminal } from "./pod-state.ts";

type DeploymentRef = Readonly<DeploymentObject>;

/** Old replica sets deleted in one pass. */
const CLEAN_UP_MAX = 50;
/** Upstream's way to say "keep all old replica sets". */
const KEEP_ALL = 2 ** 31 - 1;

/** Rolls Deployments out: a replica set for each pod template, the current one growing as the others shrink. */
export const deployment = defineController<DeploymentObject>({
  name: "deployment-controller",
  for: Deployment,
  owns: [ReplicaSet],
  watches: [
    {
      kind: ReplicaSet,
      // One that nobody controls may be adopted; those that somebody does come by `owns`.
      concerns(set: Readonly<ReplicaSetObject>, _previous, view) {
        if (controllerOf(set)) return [];
        return view
          .list(Deployment)
          .filter(({ spec }) => labelSelectorMatcher(spec.selector).matches(set.metadata.labels))
          .map(({ metadata }) => metadata.name);
      },
    },
  ],

  reconcile(subject, view, context) {
    const { selector } = subject.spec;
    if (!selector.matchLabels && !selector.matchExpressions) return selectsAll(subject);
    const { claimed, writes } = claim(view, ReplicaSet, subject, Deployment, labelSelectorMatcher(selector));
    // Their change brings the next look, which sees them as they are then.
    if (writes.length > 0) return { writes };
    const { current, old } = partition(subject, claimed);
    const pass = new Rollout(subject, current, old, view, context, writes);
    if (subject.metadata.deletionTimestamp) pass.reportOnly();
    else if (subject.spec.paused || isScalingEvent(subject, pass.all)) pass.scale();
    else if (isRollingUpdate(subject)) pass.roll();
    else pass.recreate();
    return pass.plan();
  },

  refused({ write, message }, subject, _view, context): Plan {
    if (context.terminating || write.op !== "create") return { writes: [] };
    const why = `Failed to create new replica set "${write.object.metadata.name}": ${message}`;
    const writes: Write[] = [
      { op: "event", about: subject, type: "Warning", reason: "ReplicaSetCreateError", message: why },
    ];
    const conditions = subject.status?.conditions as Condition[] | undefined;
    const failed = progressing("False", "ReplicaSetCreateError", why, context.timestamp);
    const status = { ...subject.status, conditions: withCondition(conditions, failed) } as DeploymentObject["status"];
    if (hasDeadline(subject) && !sameJson(status, subject.status))
      writes.push({ op: "updateStatus", kind: Deployment, object: { ...subject, status } as DeploymentObject });
    return { writes };
  },
});

function selectsAll(subject: DeploymentRef): Plan {
  const generation = subject.metadata.generation ?? 0;
  if ((subject.status?.observedGeneration ?? 0) >= generation) return { writes: [] };
  const status = { ...subject.status, observedGeneration: generation };
  const message = "This deployment is selecting all pods. A non-empty selector is required.";
  return {
    writes: [
      { op: "event", about: subject, type: "Warning", reason: "SelectingAll", message },
      { op: "updateStatus", kind: Deployment, object: { ...subject, status } as DeploymentObject },
    ],
  };
}

/** One pass over one Deployment. */
class Rollout {
  readonly #deployment: DeploymentRef;
  readonly #old: readonly Draft[];
  readonly #view: View;
  readonly #context: Context;
  readonly #writes: Write[];
  #current: Draft | undefined;
  #conditions: Condition[];
  #revision: string | undefined;
  #collisionCount: number | undefined;
  #estimates = true;

  constructor(
    subject: DeploymentRef,
    current: Draft | undefined,
    old: readonly Draft[],
    view: View,
    context: Context,
    writes: Write[],
  ) {
    this.#deployment = subject;
    this.#current = current;
    this.#old = old;
    this.#view = view;
    this.#context = context;
    this.#writes = writes;
    this.#conditions = [...((subject.status?.conditions ?? []) as Condition[])];
    this.#collisionCount = subject.status?.collisionCount;
    this.#revision = subject.metadata.annotations?.[REVISION];
  }

  get all(): Draft[] {
    return this.#current ? [...this.#old, this.#current] : [...this.#old];
  }

  /** It is being deleted: nothing is scaled any more. */
  reportOnly(): void {
    this.#estimates = false;
  }

  /** Paused, or spec.replicas has changed: no template is rolled out in this pass. */
  scale(): void {
    this.#notePause();
    this.#findCurrent();
    scaleInProportion(this.#deployment, this.#current, this.#old, this.#available);
    if (this.#deployment.spec.paused) this.#cleanUp();
    this.#estimates = false;
  }

  roll(): void {
    this.#notePause();
    if (!this.#findCurrent() && !this.#create()) return;
    rollingStep(this.#deployment, this.#current!, this.#old, this.#available);
    if (this.#wasComplete()) this.#cleanUp();
  }

  /** All old pods are gone before the first new one comes. */
  recreate(): void {
    this.#notePause();
    this.#findCurrent();
    const active = this.#old.filter(({ replicas }) => replicas > 0);
    for (const draft of active) scaleTo(draft, 0, this.#deployment);
    if (active.length > 0 || this.#hasOldPods()) return;
    if (!this.#current && !this.#create()) return;
    if (this.#current!.replicas !== desiredReplicas(this.#deployment))
      scaleTo(this.#current!, desiredReplicas(this.#deployment), this.#deployment);
    if (this.#wasComplete()) this.#cleanUp();
  }

  plan(): Plan {
    for (const draft of this.all) {
      const object = changedSet(draft);
      if (object) this.#writes.push({ op: draft.isCreated ? "create" : "update", kind: ReplicaSet, object });
      const before = draft.isCreated ? 0 : (draft.set.spec.replicas ?? 1);
      if (before === draft.replicas) continue;
      const way = before < draft.replicas ? "up" : "down";
      const message = `Scaled ${way} replica set ${draft.set.metadata.name} from ${before} to ${draft.replicas}`;
      this.#writes.push({ op: "event", about: this.#deployment, type: "Normal", reason: "ScalingReplicaSet", message });
    }
    const { now, timestamp } = this.#context;
    const observed: Status = {
      ...observe(this.#deployment, this.#current, this.all, this.#conditions, timestamp),
      collisionCount: this.#collisionCount,
    };
    const { status, againInSeconds } = this.#estimates
      ? estimateProgress(this.#deployment, this.#current, this.all, observed, now, timestamp)
      : { status: observed };
    this.#pushStatus(renderStatus(status));
    // The name was taken by somebody else's: with the count raised, the next pass makes another.
    if (this.#collisionCount !== this.#deployment.status?.collisionCount)
      return { writes: this.#writes, again: { inSeconds: 0 } };
    return { writes: this.#writes, ...(againInSeconds !== undefined && { again: { inSeconds: againInSeconds } }) };
  }

  #pushStatus(status: DeploymentObject["status"]): void {
    const { metadata } = this.#deployment;
    const isSame = this.#revision === metadata.annotations?.[REVISION] && sameJson(this.#deployment.status, status);
    if (isSame) return;
    const annotations = {
      ...metadata.annotations,
      ...(this.#revision !== undefined && { [REVISION]: this.#revision }),
    };
    const object = { ...this.#deployment, metadata: { ...metadata, annotations }, status } as DeploymentObject;
    this.#writes.push({ op: "updateStatus", kind: Deployment, object });
  }

  /** Pods that serve now, of those that the set is to keep: it gives up the others first. */
  readonly #available: Available = ({ set, replicas, minReadySeconds, isCreated }) => {
    if (isCreated) return 0;
    const pods = this.#view.list(Pod, { ownedBy: set });
    const available = pods.filter((pod) => isActive(pod) && isAvailable(pod, minReadySeconds, this.#context.now));
    return Math.min(available.length, replicas);
  };

  /** Keeps a pause, however long, from counting towards the progress deadline. */
  #notePause(): void {
    if (!hasDeadline(this.#deployment)) return;
    const known = findCondition(this.#conditions, "Progressing");
    if (known?.reason === "ProgressDeadlineExceeded") return;
    const isNoted = known?.reason === "DeploymentPaused";
    const { paused } = this.#deployment.spec;
    if (Boolean(paused) === isNoted) return;
    const { timestamp } = this.#context;
    const condition = paused
      ? progressing("Unknown", "DeploymentPaused", "Deployment is paused", timestamp)
      : progressing("Unknown", "DeploymentResumed", "Deployment is resumed", timestamp);
    this.#conditions = withCondition(this.#conditions, condition);
  }

  get #nextRevision(): number {
    return Math.max(0, ...this.#old.map(revisionOf)) + 1;
  }

  /** Brings the current set and the Deployment's revision up to date, where there is one. */
  #findCurrent(): boolean {
    const current = this.#current;
    if (!current) return false;
    syncCurrent(current, this.#deployment, this.#nextRevision);
    this.#revision = current.annotations[REVISION];
    if (hasDeadline(this.#deployment) && !findCondition(this.#conditions, "Progressing")) {
      const message = `Found new replica set "${current.set.metadata.name}"`;
      this.#conditions = withCondition(
        this.#conditions,
        progressing("True", "FoundNewReplicaSet", message, this.#context.timestamp),
      );
    }
    return true;
  }

  #create(): boolean {
    if (this.#context.terminating) return false;
    const created = newReplicaSet(this.#deployment);
    const { name } = created.set.metadata;
    if (this.#view.get(ReplicaSet, name)) {
      this.#collisionCount = (this.#collisionCount ?? 0) + 1;
      return false;
    }
    syncCurrent(created, this.#deployment, this.#nextRevision);
    scaleTo(created, currentReplicas(this.#deployment, created, [...this.#old, created]), this.#deployment);
    this.#current = created;
    this.#revision = created.annotations[REVISION];
    if (hasDeadline(this.#deployment)) {
      const condition = progressing(
        "True",
        "NewReplicaSetCreated",
        `Created new replica set "${name}"`,
        this.#context.timestamp,
      );
      this.#conditions = withCondition(this.#conditions, condition);
    }
    return true;
  }

  /** Also those that are on their way out. */
  #hasOldPods(): boolean {
    return this.#old.some(
      ({ set }) =>
        (set.status?.replicas ?? 0) > 0 || this.#view.list(Pod, { ownedBy: set }).some((pod) => !isTerminal(pod)),
    );
  }

  #wasComplete(): boolean {
    const {
      updatedReplicas = 0,
      replicas = 0,
      availableReplicas = 0,
      observedGeneration = 0,
    } = this.#deployment.status ?? {};
    return isComplete(this.#deployment, { updatedReplicas, replicas, availableReplicas, observedGeneration });
  }

  /** Deletes the oldest of the old replica sets beyond spec.revisionHistoryLimit. */
  #cleanUp(): void {
    const limit = this.#deployment.spec.revisionHistoryLimit;
    if (limit === undefined || limit === KEEP_ALL) return;
    const kept = this.#old.filter(({ set }) => !set.metadata.deletionTimestamp);
    const surplus = kept.length - limit;
    if (surplus <= 0) return;
    const ordered = kept.sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b));
    for (const { set, replicas } of ordered.slice(0, Math.min(surplus, CLEAN_UP_MAX))) {
      const isBusy =
        (set.status?.replicas ?? 0) !== 0 ||
        replicas !== 0 ||
        (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0);
      if (isBusy) continue;
      const { name, uid } = set.metadata;
      this.#writes.push({ op: "delete", kind: ReplicaSet, name, ...(uid && { uid }) });
    }
  }
}
