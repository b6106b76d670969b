import pc from "picocolors";

/** Colours on a terminal alone: picocolors would also colour what a CI job, or a script, reads. */
const colorsOf = (stream: NodeJS.WriteStream) => pc.createColors(pc.isColorSupported && stream.isTTY === true);

export const colors = colorsOf(process.stdout);
export const errorColors = colorsOf(process.stderr);
