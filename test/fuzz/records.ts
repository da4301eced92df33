// Records of strangers through a worker of the real runtime: each is taken, ignored, kept, unmatched, or goes to the
// dead-letter topic with a reason, once; no partition stops, and good records behind them are worked on.
//
// A batch is one worker. Some batches are fed a record at a time, so that what each one costs is measured; the others at
// once, so that good and bad share the worker's own batches.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { startMemoryWorker } from '../support/worker.ts'
import type { MemoryWorker } from '../support/worker.ts'
import { boundsOfAnInput, confirm, isWithin, measure } from './bounds.ts'
import { hostileRecord, hostileRecords, recordKinds } from './record-arbitrary.ts'
import type { HostileRecord } from './record-arbitrary.ts'
import type { Attack, Target } from './target.ts'

interface RecordsAttack extends Attack {
  readonly kind: 'one by one' | 'together'
  readonly records: readonly HostileRecord[]
}

const recordsEach = 100
const topics = ['starts', 'keyed', 'replies'] as const

const idle = 'workflow: idle\ntasks:\n  - { name: a, type: set, set: { v: 1 } }\n'
const workflows = `
workflow: taker
start:
  - topic: starts
    from: earliest
    input: { offset: "\${ message.offset }", key: "\${ message.key }", value: "\${ message.value }", headers: "\${ message.headers }" }
tasks:
  - name: say
    type: kafka-command
    topic: said
    value: "\${ input.offset }"
  - name: echo
    type: kafka-command
    topic: echoed
    value: "\${ input }"
    onFailure: skip
---
workflow: keeper
start:
  - topic: keyed
    from: earliest
    key: "\${ message.value.id }"
    when: "has(message.value.id)"
tasks:
  - name: wait
    type: kafka-listener
    topic: replies
    from: earliest
    correlate: { message: message.value.id, instance: instance.key }
    where: has(message.value.id)
  - name: tell
    type: kafka-command
    topic: told
    value: "\${ instance.key }"
`

export const recordTarget: Target<RecordsAttack> = {
  name: 'records',
  corpus: [
    { kind: 'one by one', records: hostileRecords },
    { kind: 'together', records: hostileRecords },
  ],
  arbitrary: fc.record({
    kind: fc.nat(5).map((part) => (part === 0 ? 'one by one' : 'together')),
    records: fc.array(hostileRecord, { minLength: recordsEach, maxLength: recordsEach, size: 'max' }),
  }),
  inputsEach: recordsEach,
  required: [
    ...recordKinds,
    'taken',
    'ignored',
    'kept',
    'unmatched',
    'dead-lettered: not-json',
    'dead-lettered: key-not-text',
    'dead-lettered: too-deep',
    'dead-lettered: expression',
    'dead-lettered: key-invalid',
    'dead-lettered: payload-too-large',
    'dead-lettered: record-too-large',
    'dead-lettered: correlation-value',
  ],
  kinds: ['one by one', 'together'],
  // What a batch costs says nothing: its records are measured one by one.
  boundsOf: () => ({ cpuMs: Infinity, heapBytes: Infinity }),
  async run({ kind, records }) {
    const memory = await startWorker()
    if (kind === 'together') {
      for (const record of records) send(memory, record)
    } else {
      for (const record of records) await feed(memory, record)
    }
    await sendGood(memory)
    const fates = await fatesOf(memory)
    await memory.worker.stop()
    return { classes: [...records.map((record) => record.kind), ...fates] }
  },
}

async function startWorker(): Promise<MemoryWorker> {
  const memory = await startMemoryWorker(idle, { partitions: 2 })
  for (const name of topics) {
    memory.broker.createTopic({ name, partitions: 1, cleanup: 'retained', recordBytesMax: 12 * 1_048_576 })
  }
  for (const name of ['said', 'echoed', 'told']) {
    memory.broker.createTopic({ name, partitions: 1, cleanup: 'retained' })
  }
  await memory.worker.publish({ source: 'fuzz', files: loadWorkflows([{ file: 'fuzz.yaml', text: workflows }]).byFile })
  return memory
}

function send(memory: MemoryWorker, { topic, key, value, headers, timestampMs }: HostileRecord): void {
  memory.broker.produce(topic, 0, [{ key, value, headers, timestampMs }])
}

/** Sends a record and waits until it has been decided; again, where that took suspiciously long. */
async function feed(memory: MemoryWorker, record: HostileRecord): Promise<void> {
  const once = async (): Promise<void> => {
    const before = decided(memory)
    send(memory, record)
    await memory.until(() => decided(memory) > before, 'a record is decided')
  }
  const { cost } = await measure(once)
  if (!isWithin(cost, boundsOfAnInput)) await confirm(once, boundsOfAnInput)
}

/** What the worker counts where it has made up its mind about a record. */
const decisions = [
  'instance_started',
  'instance_not_started',
  'record_kept',
  'channel_matched',
  'record_unmatched',
  'record_dead_lettered',
] as const

function decided({ worker }: MemoryWorker): number {
  const { counters } = worker.view()
  return decisions.reduce((sum, name) => sum + (counters[name] ?? 0), 0)
}

async function sendGood(memory: MemoryWorker): Promise<void> {
  const value = Buffer.from(JSON.stringify({ id: 'good' }))
  for (const topic of topics) {
    send(memory, { kind: 'good', topic, key: Buffer.from('good'), value, headers: [], timestampMs: 0 })
  }
  await memory.until(() => memory.values('told').includes('good'), 'the good ones are worked on')
}

/** What became of the records. @throws {AssertionError} One has two fates, or none. */
async function fatesOf({ worker, broker }: MemoryWorker): Promise<readonly string[]> {
  const sent = topics.reduce((sum, topic) => sum + broker.offsets(topic, 0).committedEnd, 0)
  const fates = new Map<string, string>()
  const note = (source: string, fate: string): void => {
    assert.equal(fates.get(source), undefined, `${source} was ${fates.get(source)} and then ${fate}`)
    fates.set(source, fate)
  }
  for (const partition of [0, 1]) {
    for (const { headers } of broker.fetch('test.dead-letter', partition, 0, sent).records) {
      // What the record brought with it comes first: a stranger's header of that name is not ours.
      const read = (name: string): string => decode(headers.findLast(({ key }) => key === name)?.value)
      note(read('dw-source'), `dead-lettered: ${read('dw-reason')}`)
    }
  }
  const { items } = await worker.instances.list({ limit: sent })
  for (const { id } of items) note((await worker.instances.find(id))?.origin.replace('record ', '') ?? '', 'taken')

  const { isReady, problems, counters } = worker.view()
  assert.deepEqual([isReady, problems, counters['engine_faults']], [true, [], undefined])
  const count = (name: (typeof decisions)[number]): number => counters[name] ?? 0
  const others = { kept: count('record_kept'), matched: count('channel_matched'), unmatched: count('record_unmatched') }
  const ignored = sent - fates.size - others.kept - others.matched - others.unmatched
  // A start that failed was not started either, and has gone to the dead-letter topic.
  assert.ok(ignored >= 0 && ignored <= count('instance_not_started'), `${ignored} records have no fate, or two`)
  const seen = Object.entries({ ...others, ignored }).flatMap(([fate, times]) => Array<string>(times).fill(fate))
  return [...fates.values(), ...seen]
}

const decode = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? '').toString()
