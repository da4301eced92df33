// dagger-worker graph: a workflow as a drawing, for a README, a review or a wall.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { DefinitionError } from '../../base/errors.ts'
import { type Drawing, drawingOf } from '../../definition/drawing.ts'
import { readWorkflowPath } from '../../definition/folder.ts'
import { nearest } from '../../definition/nearest.ts'
import type { Workflow } from '../../definition/workflow.ts'
import { dotOf, svgOf } from '../drawing/dot.ts'
import { mermaidOf } from '../drawing/mermaid.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../output.ts'
import type { Surroundings } from '../surroundings.ts'

const formats = ['mermaid', 'dot', 'svg'] as const
type Format = (typeof formats)[number]

interface GraphFlags {
  readonly workflow?: string
  readonly format: Format
}

export function addGraph(program: Command, surroundings: Surroundings): void {
  program
    .command('graph')
    .argument('<path>', 'a workflow file, or a directory of them')
    .summary('draw a workflow')
    .description('Draws the tasks of a workflow and their order, as text for Mermaid or Graphviz, or as an SVG image.')
    .option('--workflow <name>', 'which one, where there are several')
    .addOption(new Option('--format <format>', 'how').choices(formats).default('mermaid'))
    .addHelpText('after', '\nExample:\n  dagger-worker graph ./workflows --workflow order --format svg > order.svg')
    .action((path: string, flags: GraphFlags) => graph(path, flags, surroundings))
}

async function graph(path: string, { workflow: name, format }: GraphFlags, surroundings: Surroundings): Promise<void> {
  const files = await readWorkflowPath(resolve(surroundings.workingDirectory, path))
  const { loadWorkflows } = await import('../../definition/parse.ts')
  const { workflows, problems } = loadWorkflows(files)
  const chosen =
    name === undefined && workflows.length === 1 ? workflows[0] : workflows.find((each) => each.name === name)
  if (chosen !== undefined && (name !== undefined || problems.length === 0)) {
    surroundings.stdout.write(await textOf(drawingOf(chosen), format))
  } else {
    if (problems.length > 0) throw new DefinitionError(problems)
    throw new CommandFailure(whichOne(path, workflows, name), exitCodes.usage)
  }
}

function textOf(drawing: Drawing, format: Format): string | Promise<string> {
  switch (format) {
    case 'mermaid':
      return mermaidOf(drawing)
    case 'dot':
      return dotOf(drawing)
    case 'svg':
      return svgOf(drawing)
  }
}

function whichOne(path: string, workflows: readonly Workflow[], name: string | undefined): string {
  const names = workflows.map((workflow) => workflow.name)
  const there = names.length === 0 ? 'there is none' : `there are: ${names.join(', ')}`
  if (name === undefined) return `Name one workflow of ${printable(path)} with --workflow; ${there}.`
  const suggestion = nearest(name, names)
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`
  return `${printable(path)} has no workflow ${printable(name)}; ${there}.${hint}`
}
