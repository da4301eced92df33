// Two workers of an application on Kafka tell of themselves only; together they tell of all partitions, copies and instances.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Daemon, Site } from '../support/daemon.ts'
import { samplesOf } from '../support/exposition.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const partitions = 4

async function samplesBy(daemon: Daemon): Promise<ReadonlyMap<string, number>> {
  return samplesOf(await (await fetch(`${daemon.client.server}/metrics`)).text())
}

test('each worker tells of its own partitions and copies, and how far behind they are', async (t) => {
  const app = `metrics-${randomUUID().slice(0, 8)}`
  const topic = `${app}-parcels`
  const workflow = `
workflow: parcel
start: [{ topic: ${topic}, from: earliest }]
tasks: [{ name: wait, type: signal, signal: go }]
`
  const site = Site.of(t, { 'workflows/parcel.yaml': workflow })
  const flags = ['--brokers', brokers().join(','), '--app', app, '--partitions', String(partitions)]
  const daemons = [await site.start(...flags), await site.start(...flags)]
  for (const daemon of daemons)
    await daemon.until(async () => {
      const { partitions: own, copies, isReady } = await daemon.health()
      return isReady && own.length === 2 && copies.length === 2 ? true : undefined
    })
  const keys = Array.from({ length: 40 }, (_, index) => ({ key: `p-${index}`, value: { index } }))
  await daemons[0]!.client.produce(topic, keys)
  const sum = async (series: string): Promise<number> => {
    let total = 0
    for (const daemon of daemons) total += (await samplesBy(daemon)).get(series) ?? NaN
    return total
  }
  const open = 'dagger_worker_instances{workflow="parcel",status="EXECUTING"}'
  await daemons[0]!.until(async () => ((await sum(open)) === keys.length ? true : undefined))
  assert.equal(await sum('dagger_worker_instances_started_total{workflow="parcel"}'), keys.length)
  assert.equal(await sum(`dagger_worker_source_records_total{topic="${topic}"}`), keys.length)
  assert.equal(await sum('dagger_worker_partitions{phase="running"}'), partitions)

  for (const daemon of daemons) {
    const { copies } = await daemon.health()
    const series = copies.map((partition) => `dagger_worker_copy_lag_records{partition="${partition}"}`)
    // At rest nothing is behind: neither what is read, nor the copies.
    const samples = await daemon.until(async () => {
      const now = await samplesBy(daemon)
      return series.every((each) => now.get(each) === 0) ? now : undefined
    })
    const told = [...samples.keys()].filter((each) => each.startsWith('dagger_worker_copy_lag_records'))
    assert.deepEqual(told.toSorted(), series.toSorted())
    assert.equal(samples.get(`dagger_worker_source_lag_records{topic="${topic}"}`), 0)
    assert.equal(samples.get(`dagger_worker_source_lag_seconds{topic="${topic}"}`), 0)
    const heard = await daemon.until(async () => {
      const workers = (await samplesBy(daemon)).get('dagger_worker_workers_heard')
      return workers === 2 ? workers : undefined
    })
    assert.equal(heard, 2)
    assert.equal(samples.get('dagger_worker_application_partitions'), partitions)
    const { lag } = await daemon.health()
    assert.deepEqual(
      lag,
      [
        { topic: `${app}.inbox`, records: 0 },
        { topic, records: 0 },
      ].sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    )
  }
})
