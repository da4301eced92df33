// A planted bug, as data: one plausible mistake in the code that runs in production. Sources stay free of switches; the
// mistake is put into the text of one file while it is loaded (hook.ts).
//
//   F1. What a plant replaces stands in its file exactly once: code that moves fails the test, and never leaves a plant
//       that plants nothing.

export interface Plant {
  /** Short, lower-case, unique: what DW_PLANTED and `--only` name. */
  readonly name: string
  /** What is wrong, and where the mistake is known from. */
  readonly trap: string
  /** From the root of the repository: "src/runtime/partition.ts". */
  readonly file: string
  /** Text of the file, indentation of its first line left out. */
  readonly find: string
  readonly replace: string
}

/** The file's source with the mistake in it. @throws {Error} F1 does not hold. */
export function plantInto(source: string, { name, file, find, replace }: Plant): string {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`F1: ${file} holds the text that ${name} replaces ${source.split(find).length - 1} times`)
  return before + replace + after
}
