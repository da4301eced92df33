// One size of the workload "waiting", as a process: `node waiting-process.ts <kind> <count>` prints its figures.
import { setTimeout as pause } from 'node:timers/promises'
import { tuneCollector } from '../../src/adapters/system/collector.ts'
import { completedSoFar, untilCompleted } from '../../src/bench/completion.ts'
import { withEngine, type Engine } from '../../src/bench/engine.ts'
import { feed, keyedRecord } from '../../src/bench/feed.ts'
import { embeddedGround } from '../../src/bench/ground.ts'
import type { WorkflowFile } from '../../src/definition/folder.ts'
import type { OutgoingRecord } from '../../src/runtime/ports.ts'
import type { Worker } from '../../src/runtime/worker.ts'
import { waitingKinds, type Waiting, type WaitingKind } from './waiting.ts'

const events = 10_000
const warmUp = 3_000
const lookEveryMs = 20

function workflowOf(kind: WaitingKind): WorkflowFile {
  const timeout = kind === 'timer' ? 'timeout: 1d, ' : ''
  const instance = kind === 'crowd' ? `"'${crowded}'"` : 'instance.key'
  const listener = `{ name: answered, type: kafka-listener, topic: answers, keep: 1d, ${timeout}correlate: { message: message.key, instance: ${instance} } }`
  return { file: 'waiting.yaml', text: `workflow: waiting\nstart: [{ topic: starts }]\ntasks:\n  - ${listener}\n` }
}

const start = (id: string): OutgoingRecord => keyedRecord('starts', id, { orderId: id })
const answer = (id: string): OutgoingRecord => keyedRecord('answers', id, { orderId: id })
/** What a crowd waits for. */
const crowded = 'anybody'

/** What comes first and waits, and what meets it. */
const sides = (kind: WaitingKind) =>
  kind === 'kept'
    ? ({ first: answer, second: start, counted: 'record_kept' } as const)
    : ({ first: start, second: kind === 'crowd' ? () => answer(crowded) : answer, counted: 'channel_joined' } as const)

const counted = (worker: Worker, name: string): number => worker.view().counters[name] ?? 0

/** `count` wait, of whom `met` are met, spread evenly; gives the CPU time of that, in seconds. */
async function round(engine: Engine, kind: WaitingKind, prefix: string, count: number, met: number): Promise<number> {
  const { first, second, counted: name } = sides(kind)
  const { worker } = engine
  const before = counted(worker, name)
  await feed(engine, count, (index) => first(`${prefix}-${index}`))
  while (counted(worker, name) < before + count) await pause(lookEveryMs)
  const step = Math.floor(count / met)
  const meet = async (from: number, some: number): Promise<void> => {
    const completed = completedSoFar(worker)
    await feed(engine, some, (index) => second(`${prefix}-${from + index * step}`))
    await untilCompleted(engine, completed + some)
  }
  // Nothing was read from the store before: that is for V8 to learn as well.
  if (step > 1) await meet(1, warmUp)
  const began = process.threadCpuUsage()
  await meet(0, met)
  const { user, system } = process.threadCpuUsage(began)
  return (user + system) / 1_000_000
}

async function measure(engine: Engine, kind: WaitingKind, count: number): Promise<Waiting> {
  await round(engine, kind, 'warm', warmUp, warmUp)
  const met = Math.min(count, events)
  let seconds = 0
  // As many events whatever the size.
  for (let done = 0; done < events; done += met) seconds += await round(engine, kind, `w${done}`, count, met)
  // What was only garbage is given back by then.
  await pause(2_000)
  const residentMiB = process.memoryUsage().rss / 1_048_576
  const startSeconds = (await engine.restart()) / 1_000
  return { microsecondsPerEvent: (1_000_000 * seconds) / events, residentMiB, startSeconds }
}

const [kindGiven, count] = process.argv.slice(2)
const kind = waitingKinds.find((each) => each === kindGiven)
if (kind === undefined) throw new TypeError(`waiting-process.ts ${waitingKinds.join('|')} <count>`)
tuneCollector()
const ground = embeddedGround({ partitions: 12, signal: new AbortController().signal })
const figures = await withEngine(
  ground,
  () => workflowOf(kind),
  (engine) => measure(engine, kind, Number(count)),
)
process.stdout.write(JSON.stringify(figures))
