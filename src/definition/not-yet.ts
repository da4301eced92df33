// What the workflow language knows and this release does not run yet. Each of these is refused by its name, so that
// nobody takes it for a slip of the pen. To support one: delete its line here and add it to the schema.
import type { Cursor, Path } from './cursor.ts'
import type { Report } from './report.ts'

/** Keys of a workflow. */
export const notYet: readonly string[] = ['attributes']

/** Reports what is not run yet, and returns where: what the schema says about those places is noise. */
export function reportNotYet(workflow: Cursor, report: Report): readonly Path[] {
  const found = notYet.filter((key) => workflow.at(key).isGiven)
  for (const key of found) {
    const message = `\`${key}\` is part of the workflow language, but this release does not run it yet`
    report.add('DW_NOT_YET', [...workflow.path, key], message, { atKey: true })
  }
  return found.map((key) => [...workflow.path, key])
}
