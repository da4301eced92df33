// wide: the same 10,000 tasks, in many small instances or in one: what a record costs must not depend on how many
// others its instance waits for. Each task waits for a record of its own; measured is from the first record to the last
// instance completed, once all of them wait.
import { setTimeout as pause } from 'node:timers/promises'
import { completedSoFar, untilCompleted } from '../../src/bench/completion.ts'
import { withEngine, type Engine } from '../../src/bench/engine.ts'
import { feed, keyedRecord } from '../../src/bench/feed.ts'
import type { ThroughputOptions } from '../../src/bench/throughput.ts'
import type { WorkflowFile } from '../../src/definition/folder.ts'
import type { OutgoingRecord } from '../../src/runtime/ports.ts'

/** A for-each with so many items, or a DAG of so many tasks. */
export const wideForms = ['for-each', 'DAG'] as const
export type WideForm = (typeof wideForms)[number]
export const wideSizes: { readonly [form in WideForm]: readonly number[] } = {
  'for-each': [10, 1_000, 10_000],
  DAG: [10, 200, 2_000],
}

const tasksInAll = 10_000
const lookEveryMs = 20

export interface Wide {
  readonly records: number
  /** Of the main thread, for each record. */
  readonly cpuSeconds: number
}

/** Runs 10,000 tasks in instances of `size` tasks each. */
export function runWide(
  form: WideForm,
  size: number,
  { ground, measure = (run) => run() }: WideOptions,
): Promise<Wide> {
  return withEngine(
    ground,
    () => workflowOf(form, size),
    async (engine) => {
      const ids = Array.from({ length: tasksInAll / size }, (_, index) => `${form}-${index}`)
      await feed(engine, ids.length, (index) => start(ids[index] ?? '', form, size))
      await untilWaiting(engine, tasksInAll)
      // In no order that anything could be prepared for.
      const answers = shuffled(ids.flatMap((id) => Array.from({ length: size }, (_, item) => `${id}/${item}`)))
      const before = process.threadCpuUsage()
      await measure(async () => {
        await feed(engine, answers.length, (index) => keyedRecord('a', answers[index] ?? '', {}))
        await untilCompleted(engine, ids.length)
      })
      const { user, system } = process.threadCpuUsage(before)
      return { records: answers.length, cpuSeconds: (user + system) / 1_000_000 }
    },
  )
}

type WideOptions = Pick<ThroughputOptions, 'ground' | 'measure'>

function start(id: string, form: WideForm, size: number): OutgoingRecord {
  return keyedRecord(
    'starts',
    id,
    form === 'for-each' ? { items: Array.from({ length: size }, (_, item) => item) } : {},
  )
}

function workflowOf(form: WideForm, size: number): WorkflowFile {
  // Short, as a file has an end.
  const listener = (name: string, instance: string): string =>
    `{name: ${name},type: kafka-listener,dependsOn: [],topic: a,correlate: {message: message.key,instance: "${instance}"}}`
  const item = listener('answered', "instance.key+'/'+string(index)")
  const tasks =
    form === 'for-each'
      ? [
          `{ name: each, type: for-each, items: "\${ input.items }", concurrency: ${size}, output: "\${ index }", tasks: [${item}] }`,
        ]
      : Array.from({ length: size }, (_, index) => listener(`t${index}`, `instance.key+'/${index}'`))
  const text = `workflow: wide\nstart: [{ topic: starts }]\ntasks:\n${tasks.map((task) => `- ${task}\n`).join('')}`
  return { file: 'wide.yaml', text }
}

async function untilWaiting({ worker }: Engine, count: number): Promise<void> {
  while ((worker.view().counters['channel_joined'] ?? 0) < count) await pause(lookEveryMs)
  if (completedSoFar(worker) > 0) throw new Error('an instance has completed before its records came')
}

/** Mulberry32: the same order each time. */
function shuffled(list: readonly string[]): readonly string[] {
  let state = 1
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return list
    .map((each) => [next(), each] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each)
}
