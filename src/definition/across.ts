// What is likely wrong between the workflows of one load. Other directories may publish to the same application, so
// none of it is a problem for sure: a file is not refused for it, `validate` tells of it.
import type { Problem } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Draft } from './build.ts'
import type { Cursor } from './cursor.ts'
import type { Template } from './expression.ts'
import { ExpectedValue } from './fitting.ts'
import { nearest } from './nearest.ts'
import { Report } from './report.ts'
import type { SourceDocument } from './source.ts'
import type { WorkflowTask } from './workflow.ts'

/** A workflow with no problem, and where it stands. */
export interface PlacedDraft {
  readonly draft: Draft
  readonly document: SourceDocument
}

/** The warnings; `names` are those of all workflows of the load, with problems or not. */
export function warningsAcross(drafts: readonly PlacedDraft[], names: Iterable<string>): readonly Problem[] {
  const known = new Set(names)
  const inputs = new Map<string, ExpectedValue>()
  for (const { draft } of drafts) {
    const { name, input } = draft.workflow
    if (input !== undefined) inputs.set(name, new ExpectedValue(input.schema))
  }
  const earliest = firstEarliest(drafts)
  return drafts.flatMap(({ draft, document }) => {
    const report = new Report(document)
    for (const [task, at] of draft.written) if (task.type === 'workflow') checkChild(task, at, known, inputs, report)
    for (const { topic, from } of readings(draft)) {
      const place = earliest.get(topic)
      if (from.text !== 'latest' || place === undefined) continue
      const message = `\`${topic}\` is read from its earliest record on${place}: it is read from one place for all, so \`latest\` may have no effect here`
      report.add('DW_TOPIC_FROM', from.path, message)
    }
    return report.problems
  })
}

function checkChild(
  task: WorkflowTask,
  at: Cursor,
  known: ReadonlySet<string>,
  inputs: ReadonlyMap<string, ExpectedValue>,
  report: Report,
): void {
  const child = constantText(task.workflow)
  if (child === undefined) return
  if (!known.has(child)) {
    const message = `no file here has a workflow \`${child}\`: unless another source publishes it, the task fails with \`workflow-not-found\``
    return report.add('DW_UNKNOWN_WORKFLOW', at.at('workflow').path, message, { suggestion: nearest(child, known) })
  }
  const input = at.at('input')
  for (const { path, message, ...where } of inputs.get(child)?.misfits(input.value ?? null) ?? []) {
    report.add('DW_CHILD_INPUT', [...input.path, ...path], `the input of the workflow \`${child}\` ${message}`, where)
  }
}

function constantText(template: Template): string | undefined {
  const value: Json = template.isConstant ? template.evaluate({}) : null
  return typeof value === 'string' ? value : undefined
}

/** Where each topic is read from its earliest record on: the first place of each. */
function firstEarliest(drafts: readonly PlacedDraft[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>()
  for (const { draft, document } of drafts) {
    for (const { topic, from } of readings(draft)) {
      if (from.text === 'earliest' && !places.has(topic)) places.set(topic, new Report(document).placeOf(from.path))
    }
  }
  return places
}

/** Every `from` of a start or a listener, with its topic; what is not written is no wish. */
function* readings({ root, written }: Draft): Generator<{ readonly topic: string; readonly from: Cursor }> {
  for (const start of root.at('start').items) yield { topic: start.at('topic').text ?? '', from: start.at('from') }
  for (const [task, at] of written) if (task.type === 'kafka-listener') yield { topic: task.topic, from: at.at('from') }
}
