// dagger-worker bench, for real: on the embedded log, and on a cluster, of which nothing may be seen afterwards.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { suite, test } from 'node:test'
import { measure } from '../../src/bench/measure.ts'
import type { BenchReport } from '../../src/bench/report.ts'
import { commandLine } from '../support/command-line.ts'
import { Site } from '../support/daemon.ts'
import { startBroker } from '../support/kafka/broker.ts'
import { openLog } from '../support/kafka/kafka-world.ts'
import { useKafka } from '../support/kafka/use-kafka.ts'

const brokers = useKafka()
const tiny = ['--instances', '30', '--seconds', '1', '--partitions', '2']

function assertMeasured(stdout: string, log: BenchReport['log']): void {
  const report = JSON.parse(stdout) as BenchReport
  assert.deepEqual([report.log, report.instances, report.partitions], [log, 30, 2])
  const { p50Ms, p99Ms } = report.latency
  const figures = [report.floorRecordsPerSecond, report.orderTasksPerSecond, report.orderAgainstFloor]
  for (const { median, runs } of figures) assert.ok(median > 0 && runs.length === 3)
  assert.ok(p50Ms > 0 && p99Ms >= p50Ms)
}

const prefixIn = (stderr: string): string => /dagger-worker-bench-[0-9a-f]{8}/.exec(stderr)?.[0] ?? 'no prefix'

async function topicsOf(addresses: readonly string[], prefix: string): Promise<readonly string[]> {
  const log = await openLog(addresses)
  try {
    return (await log.listTopics()).map(({ name }) => name).filter((name) => name.startsWith(prefix))
  } finally {
    await log.close()
  }
}

test('with no brokers it measures on the embedded log, and leaves no file where it was typed', async (t) => {
  const site = Site.of(t)
  const { code, stdout, stderr } = await site.type('bench', '--json', ...tiny)
  assert.equal(code, 0, stderr)
  assertMeasured(stdout, 'embedded')
  assert.deepEqual(readdirSync(site.directory).toSorted(), ['handlers', 'workflows'])
})

suite('on Kafka', () => {
  test('it measures, and removes its topics', async (t) => {
    const site = Site.of(t)
    const { code, stdout, stderr } = await site.type('bench', '--json', '--brokers', brokers().join(','), ...tiny)
    assert.equal(code, 0, stderr)
    assertMeasured(stdout, 'kafka')
    assert.deepEqual(await topicsOf(brokers(), prefixIn(stderr)), [])
    assert.doesNotMatch(stderr, /could not be removed/)
  })

  test('Ctrl-C ends it in the middle of a run, and its topics are removed', async (t) => {
    let prefix = ''
    const shell = commandLine(t, {
      measure(request) {
        const onProgress = (line: string): void => {
          prefix ||= prefixIn(line)
          // In the run of the order workload by then: it takes seconds.
          if (line.startsWith('floor, run 1')) setTimeout(() => shell.signal('SIGINT'), 300)
        }
        return measure({ ...request, onProgress })
      },
    })
    const typed = await shell.type('bench', '--brokers', brokers().join(','), '--instances', '4000')
    assert.equal(typed.code, 130, typed.stderr)
    assert.deepEqual(await topicsOf(brokers(), prefix), [])
  })

  test('topics that the cluster does not remove are named', async (t) => {
    const broker = await startBroker({ 'delete.topic.enable': 'false' })
    t.after(() => broker.dispose())
    const { code, stderr } = await Site.of(t).type('bench', '--brokers', broker.address, ...tiny)
    assert.equal(code, 0, stderr)
    const left = await topicsOf([broker.address], prefixIn(stderr))
    assert.ok(left.length > 7)
    for (const name of left) assert.ok(stderr.split('could not be removed')[1]?.includes(name), name)
  })
})
