// Records of strangers through a worker of the real runtime: each is taken, ignored, kept, unmatched, or goes to the
// dead-letter topic with a reason, once; no partition stops, and good records behind them are worked on.
//
// A batch is one worker. Most batches are fed a record at a time, so that what each one costs is measured; the others at
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
    kind: fc.constantFrom('one by one' as const, 'one by one' as const, 'one by one' as const, 'together' as const),
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
    await memory.worker.stop()
    return { classes: [...records.map((record) => record.kind), ...outcomes(memory)] }
  },
}
