import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../../src/base/json.ts'
import type { WorkerConfig } from '../../src/config/worker-config.ts'
import { startHttpServer } from '../../src/http/server.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { InstanceView, ProduceRecord, TaskView } from '../../src/runtime/face.ts'
import { commandLine } from '../support/command-line.ts'
import { FakeWorker } from '../support/fake-worker.ts'
import { until } from '../support/http.ts'

const approved: TaskView = {
  name: 'approved',
  type: 'decision',
  status: 'FAILED',
  attempt: 1,
  hasIncident: true,
  error: { code: 'no-case', message: 'no case is true' },
}

/** A fake worker that does by hand what workflows/order.yaml says. */
class OrderWorker extends FakeWorker {
  constructor() {
    const names = ['orders', 'payment-commands', 'payment-events', 'warehouse-commands', 'warehouse-events']
    super({ topics: Object.fromEntries(names.map((name) => [name, 2])) })
  }

  override async produce(topic: string, records: readonly ProduceRecord[]) {
    const results = await super.produce(topic, records)
    for (const { value } of records) await this.#react(topic, JSON.parse(Buffer.from(value!).toString()))
    return results
  }

  async #react(topic: string, { orderId, ...value }: { orderId: string; [key: string]: Json }): Promise<void> {
    const send = (to: string, command: object) =>
      this.produce(to, [{ key: orderId, value: Buffer.from(JSON.stringify({ orderId, ...command })) }])
    if (topic === 'orders') {
      this.#task(orderId, 'charge')
      await send('payment-commands', value)
    } else if (topic === 'payment-events') {
      this.#task(orderId, 'charged', { vars: { paymentStatus: value['status']! } })
      if (value['status'] === 'paid') await send('warehouse-commands', {})
      else this.change(orderId, { incidents: 1, tasks: [approved] })
    } else if (topic === 'warehouse-events') {
      this.change(orderId, { status: 'COMPLETED', endedAt: '2026-01-01T00:00:00.400Z' })
    }
  }

  #task(orderId: string, task: string, change: Partial<InstanceView> = {}): void {
    const before = this.change(orderId, { key: orderId, ...change })
    const entry = { at: before.startedAt, task, status: 'COMPLETED' }
    this.known.set(orderId, { ...before, timeline: [...before.timeline, entry] })
  }
}

function demoLine(t: TestContext) {
  const worker = new OrderWorker()
  const configs: WorkerConfig[] = []
  const shell = commandLine(t, {
    async startWorker(config) {
      configs.push(config)
      const server = await startHttpServer({ worker, port: 0, logger: silentLogger })
      const stopped = Promise.withResolvers<void>()
      const stop = () => server.close().then(stopped.resolve)
      return { worker, url: server.url, stop, stopped: stopped.promise }
    },
  })
  return { worker, configs, ...shell }
}

test('demo --exit tells the life of every order and ends well when only the planned incident is left', async (t) => {
  const { configs, directory, type } = demoLine(t)
  const data = join(directory, '.dagger-worker', 'demo')
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, 'old'), '')
  const { code, stdout, stderr } = await type('demo', '--orders', '4', '--exit')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^o-1 +47\.50 {2}placed → payment asked → paid → completed in 0\.4 s$/m)
  assert.match(stdout, /^o-3 +4200\.00 .*declined → incident at "approved" \(no-case\)/m)
  assert.match(stdout, /3 completed, 1 with an incident \(planned/)
  assert.match(stdout, /dagger-worker instances show order\/o-3 --server http:\/\/127\.0\.0\.1:\d+/)
  assert.equal(configs[0]?.data, data)
  assert.deepEqual([existsSync(join(data, 'old')), existsSync(`${data}.pid`)], [false, false])
})

test('demo --exit fails when an order does not end as planned', async (t) => {
  const { worker, type } = demoLine(t)
  worker.change('o-2', { key: 'o-2', status: 'FAILED' })
  const { code, stderr } = await type('demo', '--orders', '3', '--exit')
  assert.equal(code, 1)
  assert.match(stderr, /1 of 3 orders/)
})

test('demo stays up until Ctrl-C, and ends quietly then', async (t) => {
  const { stdout, signal, type } = demoLine(t)
  const result = type('demo', '--orders', '3')
  await until(() => stdout().includes('Ctrl-C ends the demo'))
  signal('SIGINT')
  const { code, stderr } = await result
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /error/)
})

test('Ctrl-C in the middle of the orders ends the demo quietly too', async (t) => {
  const { stdout, signal, type } = demoLine(t)
  const result = type('demo', '--orders', '50')
  await until(() => stdout().includes('o-1'))
  signal('SIGINT')
  const { code, stderr } = await result
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /error/)
})

test('a second demo in the same directory is refused rather than wiping the first', async (t) => {
  const { directory, type } = demoLine(t)
  mkdirSync(join(directory, '.dagger-worker'))
  writeFileSync(join(directory, '.dagger-worker', 'demo.pid'), String(process.ppid))
  assert.equal((await type('demo', '--exit')).code, 2)
})
