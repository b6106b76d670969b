/**
 * Revisions: `tick · 2^10 + slot`, 53 bits in all. A tick is a quarter of a millisecond since 2025-01-01 of a hybrid logical
 * clock, so that revisions of homes that never talk are comparable; the Timeline lends the slot, which keeps the revisions of different homes apart.
 */

const EPOCH = Date.UTC(2025, 0, 1);
const TICKS_PER_MILLISECOND = 4;
export const SLOTS = 1024;

/** The least revision that a write at `now` (milliseconds since 1970) may get. */
export const revisionAt = (now: number): number => Math.max(0, Math.floor(now - EPOCH)) * TICKS_PER_MILLISECOND * SLOTS;

/** The last revision of the quarter millisecond that a time lies in (milliseconds since 1970, a fraction of one counts). */
export const lastRevisionAt = (time: number): number =>
  (Math.max(0, Math.floor((time - EPOCH) * TICKS_PER_MILLISECOND)) + 1) * SLOTS - 1;

/** When, in milliseconds since 1970, a revision was handed out (or later, where the clock ran ahead or had jumped back). */
export const timeOfRevision = (revision: number): number =>
  EPOCH + Math.floor(revision / SLOTS) / TICKS_PER_MILLISECOND;

/** The revision that follows `last` at `now`: greater than it, also when the wall clock has jumped back. */
export function nextRevision(last: number, now: number, slot: number): number {
  const tick = Math.max(revisionAt(now) / SLOTS, Math.floor(last / SLOTS) + 1);
  return tick * SLOTS + slot;
}
