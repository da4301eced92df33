// What a batch takes when there is more of everything than it holds.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { limits } from '../../src/base/limits.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Command } from '../../src/engine/command.ts'
import { timerKey } from '../../src/engine/state.ts'
import { Intake } from '../../src/runtime/intake.ts'
import { Timers } from '../../src/runtime/timers.ts'
import { MapStore } from '../support/map-store.ts'
import { planned, sourcesOf } from '../support/sources.ts'

const plenty = 10 * limits.batchInputsMax
const share = Math.floor(limits.batchInputsMax / 3)
const nowMs = 1_000_000

/** An intake that has so many of each. */
async function intakeOf({ timers = 0, own = 0, records = 0 }) {
  const broker = new MemoryBroker()
  const log = createMemoryLog(broker)
  broker.createTopic({ name: 'orders', partitions: 1, cleanup: 'retained' })
  const ready = Promise.withResolvers<void>()
  const sources = sourcesOf(broker, { log, onReady: ready.resolve })
  for (const source of planned(sources, broker, 'orders')) sources.begin(source)
  const record = { topic: 'orders', partition: 0, key: null, value: null, headers: [] }
  await log.produce(Array.from({ length: records }, () => record))
  if (records > 0) await ready.promise
  const due = new Timers(new MapStore())
  await due.refill()
  for (let number = 0; number < timers; number++) due.add(timerKey(number, { kind: 'expire-kept', number }))
  const command: Command = { type: 'instance.forget', instanceId: 'i' }
  const commands = Array.from({ length: own }, () => ({ command, onLost: undefined }))
  return new Intake(sources, due, commands, silentLogger)
}

function taken(intake: Intake): { readonly [type: string]: number } {
  const counts: { [type: string]: number } = {}
  for (const { command } of intake.take(nowMs, false)) {
    const type = command?.type ?? 'nothing'
    counts[type] = (counts[type] ?? 0) + 1
  }
  return counts
}

suite('a batch', () => {
  test('has a share for each: timers that are due, commands of this worker, records', async () => {
    const intake = await intakeOf({ timers: plenty, own: plenty, records: plenty })
    const expected = {
      'timer.fire': share,
      'instance.forget': share,
      'record.route': limits.batchInputsMax - 2 * share,
    }
    for (let batch = 0; batch < 3; batch++) assert.deepEqual(taken(intake), expected)
  })

  test('is full of what there is', async () => {
    const full = limits.batchInputsMax
    assert.deepEqual(taken(await intakeOf({ timers: plenty })), { 'timer.fire': full })
    assert.deepEqual(taken(await intakeOf({ own: plenty })), { 'instance.forget': full })
    assert.deepEqual(taken(await intakeOf({ records: plenty })), { 'record.route': full })
    assert.deepEqual(taken(await intakeOf({ timers: 5, own: plenty })), {
      'timer.fire': 5,
      'instance.forget': full - 5,
    })
    assert.deepEqual(taken(await intakeOf({ timers: plenty, own: plenty })), {
      'timer.fire': full - share,
      'instance.forget': share,
    })
  })
})
