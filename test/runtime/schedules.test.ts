// Schedules in a whole worker: synced when it begins and when definitions change, by their own clock and no other.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import { startMemoryWorker, type MemoryWorker } from '../support/worker.ts'

const scheduled = (cron: string, more = ''): string => `
workflow: tick
start: [{ schedule: "${cron}"${more} }]
tasks: [{ name: say, type: kafka-command, topic: said, value: "\${ instance.key }" }]
`
const unscheduled = `
workflow: tick
tasks: [{ name: say, type: kafka-command, topic: said, value: "\${ instance.key }" }]
`

/** Keys of the instances that have spoken, by time. */
const said = (memory: MemoryWorker): readonly unknown[] =>
  memory
    .values('said')
    .map((key) => String(key).slice('tick@2026-01-'.length))
    .sort()

/** The clock goes on, a few seconds at a time, and what is due happens. */
async function pass(memory: MemoryWorker, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 5) {
    memory.clock.advance(5_000)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function publish(memory: MemoryWorker, text: string): Promise<void> {
  await memory.worker.publish({ source: 'test', files: loadWorkflows([{ file: 'test.yaml', text }], {}).byFile })
}

const counter = (memory: MemoryWorker, name: string): Json => memory.worker.view().counters[name] ?? 0

suite('a worker', () => {
  test('starts what its schedules say, and goes by the schedules that were published last', async () => {
    const memory = await startMemoryWorker(scheduled('* * * * *'))
    await pass(memory, 125)
    assert.deepEqual(said(memory), ['01T00:01:00Z', '01T00:02:00Z'])
    await publish(memory, scheduled('30 */2 * * * *'))
    await pass(memory, 120)
    assert.deepEqual(said(memory).slice(2), ['01T00:02:30Z'])
    await publish(memory, unscheduled)
    await pass(memory, 300)
    assert.equal(said(memory).length, 3)
    assert.equal(counter(memory, 'schedule_removed'), 2)
    await memory.worker.stop()
  })

  test('that was down for days makes up for as much as it is told, and starts nothing twice', async () => {
    const text = scheduled('0 * * * *', ', overlap: all, catchUp: 2h')
    const first = await startMemoryWorker(text)
    await pass(first, 3_605)
    await first.worker.stop()
    first.clock.advance(3 * 86_400_000)
    const second = await startMemoryWorker(text, { after: first })
    await second.until(() => said(second).length > 1, 'it makes up for what was missed')
    await pass(second, 60)
    assert.deepEqual(said(second), ['01T01:00:00Z', '04T00:00:00Z', '04T01:00:00Z'])
    await second.worker.stop()
    const third = await startMemoryWorker(text, { after: second })
    await pass(third, 60)
    assert.equal(said(third).length, 3)
    await third.worker.stop()
  })

  test('that comes up after its schedule was taken away takes its row away', async () => {
    const first = await startMemoryWorker(scheduled('* * * * *'))
    await pass(first, 5)
    await first.worker.stop()
    const second = await startMemoryWorker(unscheduled, { after: first })
    await second.until(() => counter(second, 'schedule_removed') === 1, 'the row goes')
    await second.worker.stop()
  })

  test('whose clock jumps ahead, or whose machine slept, notices in time', async () => {
    const memory = await startMemoryWorker(scheduled('0 6 * * *'))
    await pass(memory, 5)
    memory.clock.jump(6 * 3_600_000)
    await pass(memory, 60)
    assert.deepEqual(said(memory), ['01T06:00:00Z'])
    await memory.worker.stop()
  })
})

test('a start that meets a bug of ours does not hold its schedule up', async () => {
  const memory = await startMemoryWorker(scheduled('* * * * *', ', input: "${ now }"'))
  const version = memory.worker.view().workflows[0]?.version ?? ''
  const [trigger] = memory.worker.definitions.catalogue.find(version)?.schedules ?? []
  assert.ok(trigger?.input !== undefined)
  const { input } = trigger
  let left = 2
  const evaluate = (roots: Parameters<typeof input.evaluate>[0]): Json => {
    if (left-- > 0) throw new TypeError('a planted bug')
    return input.evaluate(roots)
  }
  Object.assign(trigger, { input: { uses: input.uses, isConstant: false, evaluate } })
  await pass(memory, 180)
  assert.ok(said(memory).length > 0)
  assert.equal(counter(memory, 'engine_faults'), 1)
  await memory.worker.stop()
})
