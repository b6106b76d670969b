import { isObject, type Json } from "../json-value.ts";
import { canonicalElement, compareElements, type PathElement, printElement, sortElements } from "./path-element.ts";

/**
 * A set of fields, in the very form of FieldsV1: a trie of path elements. `{}` is a member without members below it; a member with
 * some has `"."` beside them; a node without `"."` is a mere step on the way. The whole object is never a member.
 *
 * Sets are values: nothing changes one, and they share their parts. An empty one is undefined, and no node but a member is empty.
 */
export type FieldSet = { readonly [element: PathElement]: FieldSet };

/** A set on its way: whoever makes it may add to it. */
export type NewFieldSet = { [element: PathElement]: FieldSet };

/** The node of a member with nothing below. */
export const MEMBER: FieldSet = Object.freeze({});
/** Marks a node with something below as a member itself. */
export const SELF = ".";

const isEmptyNode = (node: FieldSet): boolean => {
  for (const _ in node) return false;
  return true;
};

/** Whether the node's own path is a member. */
const isMember = (node: FieldSet): boolean => node[SELF] !== undefined || isEmptyNode(node);

const hasChildren = (node: FieldSet): boolean => {
  for (const element in node) if (element !== SELF) return true;
  return false;
};

/** The node where anything is below it; whether it is a member itself does not count. */
const below = (node: FieldSet | undefined): FieldSet | undefined => (node && hasChildren(node) ? node : undefined);

/** A node with the children of another, if any, that is a member or is not; undefined: nothing at all. */
function nodeOf(parent: FieldSet | undefined, member: boolean): FieldSet | undefined {
  if (parent === undefined || !hasChildren(parent)) return member ? MEMBER : undefined;
  if ((parent[SELF] !== undefined) === member) return parent;
  if (member) return { [SELF]: MEMBER, ...parent };
  const { [SELF]: _, ...children } = parent;
  return children;
}

/** What is in either. */
export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  let out: NewFieldSet | undefined;
  for (const element in b) {
    if (element === SELF) continue;
    const had = a[element];
    const node = unionOfNodes(had, b[element]!);
    if (node === had) continue;
    out ??= { ...a };
    out[element] = node;
  }
  return out ?? a;
}

function unionOfNodes(a: FieldSet | undefined, b: FieldSet): FieldSet {
  if (a === undefined || a === b) return b;
  if (!hasChildren(b) && isMember(a)) return a;
  return nodeOf(union(below(a), below(b)), isMember(a) || isMember(b))!;
}

/** What is in any. Halves are joined, not one after the other: thousands of sets take no longer than their elements. */
export function unionOfAll(sets: readonly (FieldSet | undefined)[]): FieldSet | undefined {
  if (sets.length <= 1) return sets[0];
  const middle = sets.length >> 1;
  return union(unionOfAll(sets.slice(0, middle)), unionOfAll(sets.slice(middle)));
}

// What follows looks at each element of `a`, and at no more of `b`: clients may send many entries, which all are compared with one set.

const knownEmpty = new WeakMap<FieldSet, boolean>();

/** As `isMember`, of a node that is asked about again and again: to begin to enumerate a large object takes as long as to do it. */
function isMemberOfB(node: FieldSet): boolean {
  if (node === MEMBER || node[SELF] !== undefined) return true;
  let isEmpty = knownEmpty.get(node);
  if (isEmpty === undefined) {
    isEmpty = isEmptyNode(node);
    knownEmpty.set(node, isEmpty);
  }
  return isEmpty;
}

/** What is in both. */
export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined || a === b) return b && a;
  let out: NewFieldSet | undefined;
  for (const element in a) {
    const right = b[element];
    if (right === undefined || element === SELF) continue;
    const left = a[element]!;
    const node = nodeOf(intersection(below(left), right), isMember(left) && isMemberOfB(right));
    if (node === undefined) continue;
    out ??= {};
    out[element] = node;
  }
  return out;
}

/** What is in `a` and not in `b`; what lies below a member of `b` stays. The same set where nothing goes. */
export const difference = (a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined =>
  subtract(a, b, (left, right) => {
    const children = below(left);
    const rest = difference(children, right);
    const member = isMember(left);
    const stays = member && !isMemberOfB(right);
    return rest === children && stays === member ? left : nodeOf(rest, stays);
  });

/** What is in `a`, without the members of `b` and all that lies below them. The same set where nothing goes. */
export const recursiveDifference = (a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined =>
  subtract(a, b, (left, right) => {
    if (isMemberOfB(right)) return undefined;
    const children = below(left);
    const rest = recursiveDifference(children, right);
    return rest === children ? left : nodeOf(rest, isMember(left));
  });

/** Replaces the nodes that are in both by what `part` leaves of them. */
function subtract(
  a: FieldSet | undefined,
  b: FieldSet | undefined,
  part: (left: FieldSet, right: FieldSet) => FieldSet | undefined,
): FieldSet | undefined {
  if (a === undefined || b === undefined) return a;
  let out: NewFieldSet | undefined;
  for (const element in a) {
    const right = b[element];
    if (right === undefined || element === SELF) continue;
    const left = a[element]!;
    const node = part(left, right);
    if (node === left) continue;
    out ??= { ...a };
    if (node === undefined) delete out[element];
    else out[element] = node;
  }
  return out === undefined ? a : below(out);
}

/** Whether the path is a member. */
export function includes(set: FieldSet | undefined, path: readonly PathElement[]): boolean {
  let node = set;
  for (const element of path) {
    node = node && Object.hasOwn(node, element) ? node[element] : undefined;
    if (node === undefined) return false;
  }
  return path.length > 0 && node !== undefined && isMember(node);
}

// For walks of a set beside a value: the node at an element, whether a node is a member itself, what it has below.

export const nodeAt = (set: FieldSet, element: PathElement): FieldSet | undefined =>
  Object.hasOwn(set, element) ? set[element] : undefined;
export const hasMember = (node: FieldSet | undefined): boolean => node !== undefined && isMember(node);
export const membersBelow = below;
export const makeNode = nodeOf;

/** A set of one path. */
export function setOfPath(path: readonly PathElement[]): FieldSet | undefined {
  let node: FieldSet | undefined;
  for (const element of [...path].reverse()) node = { [element]: node ?? MEMBER };
  return node;
}

/** A set of paths of fields, dotted: `metadata.labels`. */
export const setOfFields = (...paths: readonly string[]): FieldSet | undefined =>
  paths.reduce<FieldSet | undefined>(
    (set, path) => union(set, setOfPath(path.split(".").map((name) => `f:${name}`))),
    undefined,
  );

/** The members' paths as text (`.spec.replicas`): those of a level before what lies below them, each in order. */
export function printPaths(set: FieldSet | undefined): string[] {
  const paths: string[] = [];
  const walk = (node: FieldSet, prefix: string): void => {
    const elements = Object.keys(node).filter((element) => element !== SELF);
    sortElements(elements);
    for (const element of elements) if (isMember(node[element]!)) paths.push(prefix + printElement(element));
    for (const element of elements) walk(node[element]!, prefix + printElement(element));
  };
  if (set) walk(set, "");
  return paths;
}

/** The set with its elements in the order that upstream writes them in; the same one where they are. */
export function ordered(set: FieldSet): FieldSet {
  const elements = Object.keys(set);
  let isOrdered = true;
  for (let i = 1; isOrdered && i < elements.length; i++) {
    isOrdered = elements[i - 1] === SELF || compareElements(elements[i - 1]!, elements[i]!) < 0;
  }
  if (!isOrdered) sortElements(elements);
  let out: NewFieldSet | undefined = isOrdered ? undefined : {};
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i]!;
    const node = set[element]!;
    const sorted = isEmptyNode(node) ? node : ordered(node);
    if (out === undefined && sorted !== node) {
      out = {};
      for (let before = 0; before < i; before++) out[elements[before]!] = set[elements[before]!]!;
    }
    if (out !== undefined) out[element] = sorted;
  }
  return out ?? set;
}

/** A client's FieldsV1 is none. */
export class BadFieldSet extends Error {}

/**
 * Reads FieldsV1 that a client wrote, in whatever order; undefined where it has no member. Elements of an unknown sort are passed
 * over, as upstream does. @throws BadFieldSet, BadPathElement
 */
export function readFieldSet(fields: Json): FieldSet | undefined {
  if (fields === null || fields === undefined) return undefined;
  if (!isObject(fields)) throw new BadFieldSet("expected a JSON object");
  return readMembers(fields);
}

function readMembers(fields: { readonly [key: string]: Json }): FieldSet | undefined {
  let out: NewFieldSet | undefined;
  for (const key of Object.keys(fields)) {
    if (key === SELF) continue;
    const element = canonicalElement(key);
    if (element === undefined) continue;
    const inner = fields[key];
    // A null is read as an object with nothing in it.
    if (inner !== null && !isObject(inner)) throw new BadFieldSet(`expected a JSON object at ${key}`);
    const children = inner === null ? undefined : readMembers(inner);
    const node = nodeOf(children, children === undefined || Object.hasOwn(inner as object, SELF));
    out ??= {};
    out[element] = unionOfNodes(out[element], node!);
  }
  return out && ordered(out);
}
