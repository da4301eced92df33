// dagger-worker workflows list / show / versions: what a running worker has, and how many instances are on what.
import type { Command } from 'commander'
import type { Counted, InstanceCount, WorkflowVersionView } from '../../runtime/face.ts'
import { createOutput, printable, table, type Output } from '../output.ts'
import { clientFor, type ServerFlag, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

interface Flags extends ServerFlag {
  readonly json?: true
}

export function addWorkflows(program: Command, surroundings: Surroundings): void {
  const workflows = program
    .command('workflows')
    .summary('see workflows and their versions')
    .description('The workflows that a running worker has, and the instances on their versions.')
  withServer(workflows.command('list'))
    .summary('list the workflows')
    .description('Lists every workflow that was ever published, with its current version and its instances.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker workflows list')
    .action((flags: Flags) => listWorkflows(flags, surroundings))
  withServer(workflows.command('show').argument('<name>'))
    .summary('show one workflow')
    .description('Shows a workflow with its definition: the current version, or another one.')
    .option('--version <version>', 'order@3f9c2a1b, 3f9c2a1b, or a label: the latest version that has it')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker workflows show order --version 3f9c2a1b')
    .action((name: string, flags: Flags & { readonly version?: string }) => showWorkflow(name, flags, surroundings))
  withServer(workflows.command('versions').argument('<name>'))
    .summary('list the versions of a workflow')
    .description('Lists the versions of a workflow, newest first, with the instances on each.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  dagger-worker workflows versions order')
    .action((name: string, flags: Flags) => listVersions(name, flags, surroundings))
}

async function listWorkflows(flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const answer = await clientFor(flags, surroundings).listWorkflows()
  if (flags.json === true) return output.json(answer)
  if (answer.items.length === 0) {
    output.note('There are no workflows yet: none was published.')
    return
  }
  const rows = answer.items.map((workflow) => [
    workflow.name,
    versionText(workflow),
    workflow.isCurrent ? workflow.startTopics.join(', ') : 'withdrawn',
    number(workflow.versions, 'VERSIONS'),
    ...countCells(workflow.instancesInAll),
    fileText(workflow),
  ])
  print(output, ['WORKFLOW', 'VERSION', 'STARTS ON', 'VERSIONS', 'OPEN', 'KEPT', 'FILE'], rows, answer.counted)
}

async function listVersions(name: string, flags: Flags, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const answer = await clientFor(flags, surroundings).workflowVersions(name)
  if (flags.json === true) return output.json(answer)
  const rows = answer.items.map((version) => [
    versionText(version),
    version.isCurrent ? 'current' : '',
    version.publishedAt,
    ...countCells(version.instances),
    fileText(version),
  ])
  print(output, ['VERSION', '', 'PUBLISHED', 'OPEN', 'KEPT', 'FILE'], rows, answer.counted)
  if (answer.items.length < answer.total)
    output.note(`These are the newest ${answer.items.length} of ${answer.total} versions.`)
}

async function showWorkflow(
  name: string,
  flags: Flags & { readonly version?: string },
  surroundings: Surroundings,
): Promise<void> {
  const output = createOutput(surroundings)
  const { workflow, counted } = await clientFor(flags, surroundings).workflow(name, flags.version)
  if (flags.json === true) return output.json({ workflow, counted })
  const { bold, dim } = output.style
  output.line(bold(versionText(workflow)))
  const rows = [
    ['is', workflow.isCurrent ? 'the current version' : 'not current: nothing starts on it'],
    ...(workflow.description === undefined ? [] : [['description', printable(workflow.description)]]),
    ['starts on', workflow.startTopics.join(', ') || 'calls only'],
    ['published', workflow.publishedAt],
    ['file', fileText(workflow) || 'none any more'],
    ['instances', `${workflow.instances.open} open, ${workflow.instances.kept} kept`],
  ]
  for (const line of table(
    rows.map(([head = '', cell = '']) => [dim(head), cell]),
    '  ',
  ))
    output.line(line)
  output.line()
  for (const line of JSON.stringify(workflow.definition, null, 2).split('\n')) output.line(printable(line))
  noteOf(output, counted)
}

function versionText({ version, label }: WorkflowVersionView): string {
  return label === undefined ? version : `${version} (${printable(label)})`
}

function fileText({ publishedFrom: from }: WorkflowVersionView): string {
  return from === undefined ? '' : printable(`${from.source}: ${from.file}`)
}

function countCells({ open, kept }: InstanceCount): readonly string[] {
  return [number(open, 'OPEN'), number(kept, 'KEPT')]
}

function number(value: number, head: string): string {
  return String(value).padStart(head.length)
}

function print(output: Output, head: readonly string[], rows: readonly (readonly string[])[], counted: Counted): void {
  for (const line of table([head.map(output.style.dim), ...rows])) output.line(line)
  noteOf(output, counted)
}

function noteOf(output: Output, { isComplete, instances, partitions, partitionsInAll }: Counted): void {
  if (isComplete) return
  const where =
    partitions === partitionsInAll
      ? ''
      : `, on the ${partitions} of ${partitionsInAll} partitions that this worker runs`
  output.note(`Not all instances are counted: ${instances} were looked at${where}.`)
}
