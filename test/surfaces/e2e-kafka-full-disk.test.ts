// A disk that fills up under a worker on Kafka: what it keeps there is a copy, and its partitions wait for room.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Site, type Daemon } from '../support/daemon.ts'
import { mountedDisk, simulatedDisk, type Disk } from '../support/small-disk.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()

const workflow = (app: string): string => `
workflow: note
start: [{ topic: ${app}-notes }]
tasks:
  - { name: tell, type: kafka-command, topic: ${app}-told, value: { note: "\${ input.text }" } }
`

const told = async (daemon: Daemon): Promise<string> => {
  const { problems, partitions } = await daemon.health()
  return [...problems, ...partitions.map(({ reason }) => reason ?? '')].join('\n')
}

async function survives(site: Site, disk: Disk): Promise<void> {
  const app = `full-${randomUUID().slice(0, 8)}`
  site.write('workflows/note.yaml', workflow(app))
  Object.assign(site.env, disk.env)
  const daemon = await site.start('--brokers', brokers().join(','), '--app', app, '--data', disk.data)
  const note = (key: string, kibibytes: number): Promise<string> =>
    daemon.produce(`${app}-notes`, key, { text: 'x'.repeat(kibibytes * 1_024) })
  await note('n-0', 1)
  assert.equal((await daemon.instance('note', 'n-0')).status, 'COMPLETED')

  disk.fill('full')
  // The store lags behind by some seconds and mebibytes: only then does it meet the full disk.
  let sent = 1
  await daemon.until(async () => {
    for (let i = 0; i < 20; i++) await note(`n-${sent++}`, 100)
    return /disk full/.test(await told(daemon)) ? true : undefined
  })
  assert.ok(daemon.isRunning)
  await daemon.until(async () => ((await daemon.health()).isReady ? undefined : true))

  disk.free()
  await daemon.until(async () => {
    const { isReady, problems } = await daemon.health()
    return isReady && problems.length === 0 ? true : undefined
  })
  for (let i = 0; i < sent; i++)
    assert.equal((await daemon.instance('note', `n-${i}`)).status, 'COMPLETED', `n-${i} completes`)
  const keys = (await daemon.records(`${app}-told`)).map(({ key }) => key)
  assert.equal(keys.length, sent)
  assert.equal(new Set(keys).size, sent)
  assert.equal(await daemon.stop(), 0)
}

test('on Kafka a simulated full disk stops the partitions that meet it, with the reason, until there is room', async (t) => {
  const site = Site.of(t)
  await survives(site, simulatedDisk(site))
})

test('on Kafka a volume that is really full does the same; where none can be mounted, the simulated one', async (t) => {
  const site = Site.of(t)
  await survives(site, mountedDisk(t) ?? simulatedDisk(site))
})
