/** One measurement. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  /** The same of whom it is compared with, measured in the same run or named in `goal`. */
  peer?: number;
  /** Above 1 is better than the peer. */
  ratio?: number;
  /** What was aimed at, in words. */
  goal?: string;
}

/** Rows of a rate beside what it is held against. */
export const rate = (name: string, value: number, unit: string, goal: number): Row => ({
  name,
  value: round(value),
  unit,
  peer: goal,
  ratio: round(value / goal),
  goal: `≥ ${goal} ${unit}`,
});

/** Rows of a delay, of which less is better. */
export const delay = (name: string, value: number, unit: string, goal: number): Row => ({
  name,
  value: round(value),
  unit,
  peer: goal,
  ratio: round(goal / value),
  goal: `≤ ${goal} ${unit}`,
});

export const round = (value: number): number => Number(value.toPrecision(4));
