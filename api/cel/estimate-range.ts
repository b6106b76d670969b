/** From the least to the most: of cost units, or of elements. As upstream, what nothing bounds is 2^64. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What nothing bounds; sums and products stay at it. */
export const UNBOUNDED = 2 ** 64;

const bounded = (value: number): number => Math.min(value, UNBOUNDED);

export const exactly = (value: number): Range => ({ min: value, max: value });
export const NOTHING = exactly(0);
export const UNKNOWN: Range = { min: 0, max: UNBOUNDED };

export const plus = (...ranges: readonly Range[]): Range => ({
  min: bounded(ranges.reduce((sum, range) => sum + range.min, 0)),
  max: bounded(ranges.reduce((sum, range) => sum + range.max, 0)),
});

export const times = (a: Range, b: Range): Range => ({ min: bounded(a.min * b.min), max: bounded(a.max * b.max) });

/** Rounded up. */
export const timesFactor = ({ min, max }: Range, factor: number): Range => ({
  min: bounded(Math.ceil(min * factor)),
  max: bounded(Math.ceil(max * factor)),
});

/** What contains both. */
export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
