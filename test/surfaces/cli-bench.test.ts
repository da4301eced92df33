// dagger-worker bench as it is typed; what it measures is faked. The real one is in e2e-bench.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { TransientFault } from '../../src/base/errors.ts'
import type { BenchReport, BenchRequest, Measure } from '../../src/bench/report.ts'
import { commandLine } from '../support/command-line.ts'

const runs = (median: number) => ({ median, runs: [median] })
const report: BenchReport = {
  log: 'kafka',
  partitions: 12,
  instances: 5_000,
  floorRecordsPerSecond: runs(53_000),
  orderTasksPerSecond: runs(25_000.4),
  orderAgainstFloor: runs(0.353),
  orderCpuMicrosPerTask: runs(40.12),
  latency: { instancesPerSecond: 50, seconds: 10, p50Ms: 12.34, p99Ms: 56.78 },
}

test('the figures go to stdout with their units, or as JSON, and the progress to stderr', async (t) => {
  const requests: BenchRequest[] = []
  const measure: Measure = (request) => {
    requests.push(request)
    request.onProgress('half of it')
    return Promise.resolve({ report })
  }
  const shell = commandLine(t, { measure, env: { DAGGER_WORKER_BROKERS: 'b:1,c:2' } })
  const { code, stdout, stderr } = await shell.type('bench')
  assert.equal(code, 0)
  for (const figure of [
    /53,000 +records\/s/,
    /25,000 +tasks\/s/,
    /0\.35 +ratio/,
    /40\.1 +µs\/task/,
    /p50 +12\.3 +ms/,
    /p99 +56\.8 +ms/,
  ])
    assert.match(stdout, figure)
  assert.equal(stderr, 'half of it\n')
  const json = await shell.type(
    'bench',
    '--json',
    '--instances',
    '7',
    '--seconds',
    '2',
    '--partitions',
    '3',
    '--brokers',
    'd:3',
  )
  assert.deepEqual(JSON.parse(json.stdout), report)
  assert.deepEqual(
    requests.map(({ kafka, instances, seconds, partitions }) => ({
      brokers: kafka?.brokers,
      instances,
      seconds,
      partitions,
    })),
    [
      { brokers: ['b:1', 'c:2'], instances: 5_000, seconds: 10, partitions: 12 },
      { brokers: ['d:3'], instances: 7, seconds: 2, partitions: 3 },
    ],
  )
})

test('without brokers nothing says so: it is the embedded log', async (t) => {
  let request: BenchRequest | undefined
  const shell = commandLine(t, { measure: (given) => Promise.resolve({ report: ((request = given), report) }) })
  assert.equal((await shell.type('bench')).code, 0)
  assert.equal(request !== undefined && 'kafka' in request, false)
})

test('what stays on a cluster is said by name, and so is why', async (t) => {
  const leftovers = { prefix: 'p', topics: [{ name: 'p-1-orders', reason: 'not authorised' }] }
  const one = commandLine(t, { measure: () => Promise.resolve({ report, leftovers }) })
  const { code, stderr } = await one.type('bench')
  assert.equal(code, 0)
  assert.match(stderr, /p-1-orders +not authorised/)
  const lost = { prefix: 'p', topics: [], unknown: 'nobody answers' }
  const other = commandLine(t, {
    measure: () => Promise.resolve({ error: new TransientFault('gone'), leftovers: lost }),
  })
  const typed = await other.type('bench')
  assert.equal(typed.code, 3)
  assert.match(typed.stderr, /nobody answers.*begin with p\.\n.*gone/s)
})

test('Ctrl-C ends it once it has cleaned up, a second one at once', async (t) => {
  const measure: Measure = ({ signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ error: signal.reason })))
  const shell = commandLine(t, { measure })
  const typed = shell.type('bench')
  while (!shell.hasSignalListeners()) await setImmediate()
  shell.signal('SIGINT')
  shell.signal('SIGINT')
  const { code, stdout } = await typed
  assert.deepEqual([code, stdout, shell.exits, shell.hasSignalListeners()], [130, '', [130], false])
})

test('numbers that cannot be meant are usage errors', async (t) => {
  for (const flags of [
    ['--instances', '0'],
    ['--seconds', 'x'],
    ['--partitions', '0'],
    ['--brokers', 'nowhere'],
  ]) {
    assert.equal((await commandLine(t).type('bench', ...flags)).code, 2, flags.join(' '))
  }
})
