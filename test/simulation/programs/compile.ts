// The documents of a release → its files, as a worker finds them in its directory. Drawn documents are JSON already and
// are compiled as those that come through the log are, at a tenth of the cost; programs.test.ts loads them as files.
import { compileWorkflow, loadWorkflows } from '../../../src/definition/parse.ts'
import type { Workflow } from '../../../src/definition/workflow.ts'

/** The workflows of a release, by file. */
export type Files = ReadonlyMap<string, readonly Workflow[]>

/** The handlers that simulated workers have. */
export const handlers = ['examine']

/** Written documents are the same in every seed. */
const written = new Map<string, Workflow>()

export function compileRelease(texts: readonly string[]): Files {
  const workflows = texts.map((text) => (text.startsWith('{') ? compileWorkflow(text) : compileWritten(text)))
  return new Map(workflows.map((workflow) => [`${workflow.name}.yaml`, [workflow]]))
}

function compileWritten(text: string): Workflow {
  const known = written.get(text)
  if (known !== undefined) return known
  const { workflows, problems } = loadWorkflows([{ file: 'simulated.yaml', text }], { handlers })
  const [workflow] = workflows
  if (workflow === undefined)
    throw new Error(`a program of the simulation is not valid: ${JSON.stringify(problems)}\n${text}`)
  written.set(text, workflow)
  return workflow
}
