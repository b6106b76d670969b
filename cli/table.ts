const GAP = 3;

/** Columns as kubectl prints them. The texts are of one line each; the last column is as wide as it is. */
export function printTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ""))) + GAP);
  const cells = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat(widths[i]! - lengthOf(cell))));
  return rows.map((row) => `${cells(row).join("")}\n`).join("");
}

const lengthOf = (text: string): number => [...text].length;
