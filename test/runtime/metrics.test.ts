// What a worker counts and measures: the table's own rules, the numbers in memory, and that they tell what happened.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { HandlerModule } from '../../src/handlers/contract.ts'
import { topicLags } from '../../src/runtime/metrics/lag.ts'
import { metricTable, type MetricDefinition, type MetricName } from '../../src/runtime/metrics/metric-table.ts'
import { Metrics } from '../../src/runtime/metrics/metrics.ts'
import { startMemoryWorker } from '../support/worker.ts'

const definitions: readonly MetricDefinition[] = Object.values(metricTable)

suite('the table of metrics', () => {
  test('has every name once, and names as Prometheus wants them', () => {
    assert.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length)
    for (const { name, kind, unit, labels, buckets, help } of definitions) {
      assert.match(name, /^(?:dagger_worker|process)(?:_[a-z]+)+$/)
      assert.equal(name.endsWith('_total'), kind === 'counter', name)
      assert.match(help, /^[A-Z].*[.:]$/, name)
      assert.equal(buckets.length > 0, kind === 'histogram', name)
      assert.deepEqual(
        [...buckets],
        buckets.toSorted((a, b) => a - b),
        name,
      )
      for (const label of labels) assert.match(label, /^[a-z]+$/, name)
      assert.ok(!labels.includes('le'), name)
      const stem = name.replace(/_total$/, '')
      if (unit === 's') assert.match(stem, /_seconds$/)
      else if (unit === 'By') assert.match(stem, /_bytes$/)
      else assert.match(unit, /^(?:1|\{[a-z]+\}(?:\/s)?)$/, name)
    }
  })
})

suite('metrics', () => {
  const family = (metrics: Metrics, name: MetricName) =>
    metrics.collect().find((each) => each.definition === metricTable[name])!

  test('a histogram counts each value in the first bucket that holds it', () => {
    const metrics = new Metrics(() => 0)
    const seconds = metrics.histogram('timerLateness')
    assert.equal(metrics.histogram('timerLateness'), seconds)
    const [first, second] = seconds.bounds as [number, number]
    for (const value of [0, first, first + 0.001, second, 1e9]) seconds.record(value)
    assert.deepEqual([seconds.counts[0], seconds.counts[1], seconds.counts.at(-1)], [2, 2, 1])
    assert.equal(
      seconds.counts.reduce((a, b) => a + b),
      5,
    )
    assert.equal(Math.round(seconds.sum - 1e9), 0)
  })

  test('labels that differ are series of their own, and what comes beyond a bound is added up', () => {
    const metrics = new Metrics(() => 0)
    for (let index = 0; index < 1_500; index++) metrics.count('deadLetters', `reason-${index}`).value += 1
    const { samples } = family(metrics, 'deadLetters')
    assert.equal(samples.length, 1_001)
    assert.deepEqual(samples.at(-1), { labels: ['other'], value: 500 })
    assert.equal(metrics.count('deadLetters', 'reason-7').value, 1)
  })

  test('what is read is read once for all metrics, and no more once it is over', () => {
    const metrics = new Metrics(() => 0)
    let looks = 0
    const forget = metrics.observe(() => {
      looks += 1
      return [
        ['copies', looks],
        ['partitions', 3, 'running'],
      ]
    })
    assert.deepEqual(family(metrics, 'copies').samples, [{ labels: [], value: 1 }])
    assert.deepEqual(family(metrics, 'partitions').samples, [{ labels: ['running'], value: 3 }])
    forget()
    assert.deepEqual(family(metrics, 'copies').samples, [])
    assert.equal(looks, 2)
  })

  test('who listens is told of each value, of histograms that are there and of later ones', () => {
    const metrics = new Metrics(() => 0)
    const before = metrics.histogram('batchInputs')
    const told: unknown[] = []
    metrics.listen((name, labels) => (value) => void told.push([name, labels, value]))
    before.record(3)
    metrics.histogram('handlerSeconds', 'h', 'completed').record(0.5)
    assert.deepEqual(told, [
      ['batchInputs', [], 3],
      ['handlerSeconds', ['h', 'completed'], 0.5],
    ])
  })
})

const shop = `
workflow: shop
start:
  - topic: orders
    from: earliest
input:
  type: object
  required: [n]
tasks:
  - name: charge
    type: charge
    with: { n: "\${ input.n }" }
    retry: { maxAttempts: 2, initialInterval: 1s }
    onFailure: incident
  - name: pause
    type: trigger
    delay: 10s
`

/** The value of each series of a metric, by its labels. */
function valuesOf(metrics: Metrics, name: MetricName): { readonly [labels: string]: number } {
  const { samples, histograms } = metrics.collect().find((each) => each.definition === metricTable[name])!
  return Object.fromEntries([
    ...samples.map(({ labels, value }): [string, number] => [labels.join(' '), value]),
    ...histograms.map(({ labels, counts }): [string, number] => [labels.join(' '), counts.reduce((a, b) => a + b)]),
  ])
}

suite('a worker', () => {
  test('counts what becomes of instances, tasks, handlers, timers and records, by workflow and type', async () => {
    const charge: HandlerModule = {
      name: 'charge',
      run: ({ input }) => {
        if ((input as { n: number }).n === 13) throw new Error('declined')
        return null
      },
    }
    const { worker, clock, produce, until } = await startMemoryWorker(shop, { handlers: [charge], partitions: 2 })
    const values = (name: MetricName) => valuesOf(worker.metrics, name)
    await produce('orders', 'a', { n: 1 })
    await produce('orders', 'b', { n: 13 })
    await produce('orders', 'c', { wrong: true })
    await until(() => values('handlerSeconds')['charge retryable'] === 1, 'a run has failed')
    clock.advance(20_000)
    await until(() => values('incidents')['shop'] === 1, 'the other run has failed as well')
    await until(() => values('instancesEnded')['shop COMPLETED'] === 1, 'an instance is completed')
    assert.deepEqual(values('instancesStarted'), { shop: 2 })
    assert.deepEqual(values('instancesEnded'), { 'shop COMPLETED': 1, 'shop FAILED': 0, 'shop STOPPED': 0 })
    assert.deepEqual(values('handlerSeconds'), { 'charge completed': 1, 'charge retryable': 2 })
    const tasks = values('tasks')
    assert.deepEqual(
      ['charge completed', 'charge retried', 'charge failed', 'trigger completed', 'trigger failed'].map(
        (each) => tasks[each],
      ),
      [1, 1, 1, 1, 0],
    )
    assert.deepEqual(values('deadLetters'), { 'input-invalid': 1 })
    assert.equal(values('sourceRecords')['orders'], 3)
    // The retry and the pause.
    assert.equal(values('timerLateness')[''], 2)
    const committed = values('transactions')['committed']!
    for (const name of ['decideSeconds', 'commitSeconds', 'storeSeconds', 'batchInputs', 'batchRecords'] as const)
      assert.equal(values(name)[''], committed, name)
    assert.deepEqual(values('partitionsMoved'), { gained: 2 })
    assert.deepEqual(values('restoreSeconds'), { '': 2 })
    // At rest nothing is behind, waits or is overdue.
    assert.deepEqual(values('sourceLagRecords'), { orders: 0 })
    assert.deepEqual(values('sourceLagSeconds'), { orders: 0 })
    assert.deepEqual(values('inboxLagRecords'), { '0': 0, '1': 0 })
    for (const name of ['commandsWaiting', 'timerOverdueSeconds', 'keptRecords', 'keptBytes'] as const)
      assert.deepEqual(values(name), { '': 0 }, name)
    assert.deepEqual(worker.view().lag, [
      { topic: 'orders', records: 0 },
      { topic: 'test.inbox', records: 0 },
    ])
    await worker.stop()
  })

  test('tells of a timer that is overdue while its partition does not come to it', async () => {
    const { worker, clock, produce, until } = await startMemoryWorker(shop, {
      handlers: [{ name: 'charge', run: () => null }],
      partitions: 1,
    })
    await produce('orders', 'a', { n: 1 })
    await until(() => valuesOf(worker.metrics, 'tasks')['charge completed'] === 1, 'it pauses')
    await until(() => worker.view().counters['timer_armed'] === 2, 'until a timer')
    // The machine slept: nothing had a turn meanwhile.
    clock.jump(70_000)
    assert.ok(valuesOf(worker.metrics, 'timerOverdueSeconds')['']! >= 59)
    // It looks at the clock every half minute.
    clock.advance(30_000)
    await until(() => valuesOf(worker.metrics, 'instancesEnded')['shop COMPLETED'] === 1, 'it fires')
    const lateness = worker.metrics.histogram('timerLateness')
    assert.ok(lateness.sum >= 59 && lateness.sum < 101, `${lateness.sum} s`)
    await worker.stop()
  })
})

test('a store that cannot be read takes nothing else of the metrics along', async () => {
  const { worker, disk, until } = await startMemoryWorker(shop, {
    handlers: [{ name: 'charge', run: () => null }],
    partitions: 2,
  })
  disk.corrupt(0)
  assert.deepEqual(valuesOf(worker.metrics, 'keptRecords'), { '': 0 })
  assert.deepEqual(valuesOf(worker.metrics, 'copies'), { '': 0 })
  // It was found, and is rebuilt.
  await until(() => valuesOf(worker.metrics, 'partitionFaults')['store-corrupted'] === 1, 'the partition gives it up')
  await until(() => worker.view().isReady, 'and runs again')
  await worker.stop()
})

test('lags of the partitions of a topic are added up, and the oldest record tells since when', () => {
  const lag = (topic: string, records: number, sinceMs?: number) => ({
    ...{ topic, records, sinceMs, partition: 0, isInbox: false, readBy: 0 },
  })
  const lags = [lag('b', 0), lag('a', 2, 5_000), lag('a', 3, 4_000), lag('a', 1), lag('c', 7)]
  assert.deepEqual(topicLags(lags, 10_000), [
    { topic: 'a', records: 6, oldestAgeMs: 6_000 },
    { topic: 'b', records: 0 },
    { topic: 'c', records: 7 },
  ])
})
