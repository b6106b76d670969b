/** One replacement in one file of the product, as it is loaded: the product itself has no switches for it. */
export interface SourceChange {
  /** From the project's root. */
  file: string;
  /** Occurs exactly once in the file. */
  find: string;
  replace: string;
}

/** @throws where the text to replace is not there exactly once: a change must not rot. */
export function changed({ file, find, replace }: SourceChange, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`${JSON.stringify(find)} occurs ${parts.length - 1} times in ${file}, not once`);
  return parts.join(replace);
}
