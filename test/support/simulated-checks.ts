import type { ListRecord, ObjectRecord, SimulatedClients, WatchEvent, WatchRecord } from "./simulated-clients.ts";
import { markOf, type Told, type Truth, type Version } from "./simulated-truth.ts";

/** What is told of one failed check. */
const EVENTS_SHOWN = 6;

/** Compares all that clients were answered with what the homes' tables got. Call it when nothing happens any more. */
export function checkAnswers(clients: SimulatedClients, truth: Truth): string[] {
  truth.checkUnique();
  const complaints = [...truth.complaints, ...clients.complaints];
  const byMark = new Map<string, Version[]>();
  for (const version of truth.all) {
    const mark = markOf(version.json);
    if (mark !== "") byMark.set(mark, [...(byMark.get(mark) ?? []), version]);
  }
  const complain = (what: string, why: string | undefined) => {
    if (why !== undefined) complaints.push(`${what}: ${why}`);
  };
  for (const record of clients.objects) complain(whatOf(record), objectComplaint(record, truth, byMark));
  for (const list of clients.lists) complain(list.what, listComplaint(list, clients, truth));
  for (const watch of clients.watches) complain(watch.what, watchComplaint(watch, truth, clients));
  return complaints;
}

const whatOf = ({ verb, home, resource, name, mark }: ObjectRecord): string =>
  `${verb} ${home}/${resource}/${name} (${mark})`;

function objectComplaint(record: ObjectRecord, truth: Truth, byMark: Map<string, Version[]>): string | undefined {
  const { verb, home, resource, name, mark, code, revision, invokedAt, respondedAt, from } = record;
  const own = truth.versions({ resource, home }).filter((each) => each.name === name);
  if (verb === "get") {
    if (code !== 200) return undefined;
    const seen = own.find((each) => each.revision === revision);
    if (!seen || seen.isDeleted || markOf(seen.json) !== record.seen)
      return `saw ${record.seen} at ${revision}, which never was`;
    const next = own.find((each) => each.revision > seen.revision);
    if (next && next.at < invokedAt) return `saw ${revision}, but ${next.revision} had followed it`;
    return undefined;
  }
  if (verb === "delete") {
    if (code !== 200) return undefined;
    const isThere = own.some(({ isDeleted, at }) => isDeleted && at >= invokedAt && at <= respondedAt);
    return isThere ? undefined : "was acknowledged, and nothing was deleted";
  }
  const written = (byMark.get(mark) ?? []).filter(({ isDeleted }) => !isDeleted);
  if (code >= 300)
    return written.length > 0 ? `was answered ${code}, and is there at ${written[0]!.revision}` : undefined;
  if (written.length > 1) return `was written ${written.length} times`;
  const [version] = written;
  if (code === 0) return undefined;
  if (!version) return `was acknowledged at ${revision}, and is not there`;
  if (version.revision !== revision) return `was acknowledged at ${revision}, and is there at ${version.revision}`;
  if (from !== undefined && version.previous?.revision !== from)
    return `replaced ${version.previous?.revision} where it should ${from}`;
  return undefined;
}

function listComplaint(list: ListRecord, clients: SimulatedClients, truth: Truth): string | undefined {
  const { scope, revision, items, rest, exactly, atLeast, invoked } = list;
  if (exactly !== undefined && revision !== exactly) return `is at ${revision} instead of ${exactly}`;
  if (revision < atLeast) return `is at ${revision}, older than ${atLeast}`;
  const expected = [...truth.stateAt(scope, revision).values()];
  const found = rest === undefined ? expected : expected.slice(0, items.length);
  const difference = differenceOf(
    items.map(({ home, name, revision: at, mark }) => `${home}/${name} ${mark} at ${at}`),
    found.map(({ home, name, json, revision: at }) => `${home}/${name} ${markOf(json)} at ${at}`),
  );
  if (difference) return `at ${revision} ${difference}`;
  if (rest !== undefined && rest >= 0 && rest !== expected.length - items.length)
    return `says that ${rest} remain, and ${expected.length - items.length} do`;
  if (exactly === undefined) {
    const acknowledged = clients.acknowledgedBefore(invoked, scope);
    if (acknowledged > revision) return `is at ${revision}, and ${acknowledged} was acknowledged before it began`;
  }
  return undefined;
}

function watchComplaint(watch: WatchRecord, truth: Truth, clients: SimulatedClients): string | undefined {
  const { scope, from, at, sendsInitialEnd, events } = watch;
  if (at !== undefined) return pastComplaint(events, watch, truth, at);
  if (from > 0) return followComplaint(events, truth.changesAfter(scope, from), from);
  const end = events.findIndex(({ isInitialEnd }) => isInitialEnd);
  if (sendsInitialEnd) {
    // Cut off before the state was whole: nobody makes anything of it.
    if (end < 0) return events.some(({ type }) => type !== "ADDED") ? "changes before the state's end" : undefined;
    const { revision } = events[end]!;
    if (revision < watch.asked) return `begins at ${revision}, older than ${watch.asked}`;
    const acknowledged = clients.acknowledgedBefore(watch.invoked, scope);
    if (acknowledged > revision) return `begins at ${revision}, and ${acknowledged} was acknowledged before`;
    return (
      stateComplaint(events.slice(0, end), watch, truth, revision) ??
      followComplaint(events.slice(end + 1), truth.changesAfter(scope, revision), revision)
    );
  }
  return anyStateComplaint(watch, truth);
}

/** Part of the state, each object once: it may have been cut off. */
function pastComplaint(events: WatchEvent[], { scope }: WatchRecord, truth: Truth, at: number): string | undefined {
  const state = truth.stateAt(scope, at);
  for (const { type, home, name, revision } of events) {
    if (type === "BOOKMARK") continue;
    const key = `${home}/${name}`;
    if (type !== "ADDED" || state.get(key)?.revision !== revision)
      return `was told ${type} ${key} at ${revision}, which was not so at ${at}`;
    state.delete(key);
  }
  return undefined;
}

function stateComplaint(
  events: WatchEvent[],
  { scope }: WatchRecord,
  truth: Truth,
  revision: number,
): string | undefined {
  const difference = differenceOf(
    events.map(({ type, home, name, mark, revision: at }) => `${type} ${home}/${name} ${mark} at ${at}`).sort(),
    [...truth.stateAt(scope, revision).values()]
      .map(({ home, name, json, revision: at }) => `ADDED ${home}/${name} ${markOf(json)} at ${at}`)
      .sort(),
  );
  return difference && `the state at ${revision} ${difference}`;
}

/** Nothing says where the state ends: some revision must fit. */
function anyStateComplaint(watch: WatchRecord, truth: Truth): string | undefined {
  const { events, scope } = watch;
  if (!watch.isOpen && events.every(({ type }) => type === "ADDED")) return undefined;
  const candidates = [0, ...truth.versions(scope).map(({ revision }) => revision)];
  const isFitting = (revision: number): boolean => {
    const state = truth.stateAt(scope, revision);
    if (state.size > events.length) return false;
    return (
      stateComplaint(events.slice(0, state.size), watch, truth, revision) === undefined &&
      followComplaint(events.slice(state.size), truth.changesAfter(scope, revision), revision) === undefined
    );
  };
  return candidates.some(isFitting) ? undefined : "no state and what followed it is what was told";
}

/** Each change once, in order, none missing up to the last that was told. */
function followComplaint(events: WatchEvent[], expected: Told[], from: number): string | undefined {
  let i = 0;
  let last = from;
  for (const { type, home, name, mark, revision } of events) {
    if (type === "BOOKMARK") {
      if (revision < last) return `a bookmark at ${revision} after ${last}`;
      const next = expected[i];
      if (next && next.revision <= revision) return `a bookmark at ${revision}, and ${describe(next)} was not told`;
      last = revision;
      continue;
    }
    const next = expected[i++];
    const told = describe({ type, home, name, mark, revision } as Told);
    if (!next) return `was told ${told}, which never was`;
    if (told !== describe(next)) return `was told ${told} instead of ${describe(next)}, as event ${i} after ${last}`;
    if (revision <= last) return `was told ${told} after ${last}`;
    last = revision;
  }
  return undefined;
}

/** What an open watch has not been told yet. */
export function missing({ scope, from, events, sendsInitialEnd, what }: WatchRecord, truth: Truth): string | undefined {
  let start = from;
  let told = events;
  if (sendsInitialEnd) {
    const end = events.findIndex(({ isInitialEnd }) => isInitialEnd);
    if (end < 0) return `${what} has not been told the state's end`;
    start = events[end]!.revision;
    told = events.slice(end + 1);
  } else if (from === 0) return undefined;
  const expected = truth.changesAfter(scope, start);
  const next = expected[told.filter(({ type }) => type !== "BOOKMARK").length];
  return next && `${what} has not been told ${describe(next)}`;
}

const describe = ({ type, home, name, mark, revision }: Told): string =>
  `${type} ${home}/${name} ${mark} at ${revision}`;

function differenceOf(found: string[], expected: string[]): string | undefined {
  const extra = found.filter((each) => !expected.includes(each));
  const absent = expected.filter((each) => !found.includes(each));
  if (extra.length > 0 || absent.length > 0)
    return `lacks [${absent.slice(0, EVENTS_SHOWN).join(", ")}], has [${extra.slice(0, EVENTS_SHOWN).join(", ")}] instead`;
  if (found.length !== expected.length) return `has ${found.length} items where there are ${expected.length}`;
  const i = found.findIndex((each, n) => each !== expected[n]);
  return i < 0 ? undefined : `has ${found[i]} where ${expected[i]} should be`;
}
