// Handlers beside the loop: slots, recorded runs (H1), no double runs (H2), and what an abort frees.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Json } from '../../src/base/json.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Command } from '../../src/engine/command.ts'
import type { HandlerWork } from '../../src/engine/effect.ts'
import { nullPayload } from '../../src/engine/payload.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import type { HandlerModule, HandlerTaskInput } from '../../src/handlers/contract.ts'
import { Executor } from '../../src/runtime/executor.ts'
import { Metrics } from '../../src/runtime/metrics/metrics.ts'
import type { Secrets } from '../../src/runtime/ports.ts'

interface Run {
  readonly task: HandlerTaskInput
  readonly finish: (output: Json) => void
  readonly fail: (error: unknown) => void
}

function workOf(handler: string, instanceId: string, attempt = 1, task = 0): HandlerWork {
  return {
    ...{ instanceId, task, attempt, handler, kind: 'module', execution: 'main', name: 'h', key: 'k' },
    ...{ workflow: 'w', version: 'w@1', idempotencyKey: `${instanceId}/h`, input: nullPayload, isSealed: false },
  }
}

const http: HandlerModule = { name: 'http', run: () => 'called' }
const secrets: Secrets = { read: () => assert.fail('nothing names a secret') }

/** An executor whose handlers do as the test says. */
class Bench {
  /** Runs that have begun, in order, by "handler instance". */
  readonly runs: string[] = []
  readonly delivered: Command[] = []
  readonly clock = new ManualClock()
  readonly metrics = new Metrics(() => this.clock.nowMs())
  readonly executor: Executor
  readonly #begun = new Map<string, Run>()

  constructor(
    handlersMax: number,
    concurrency: { readonly [handler: string]: number | undefined },
    more: Partial<HandlerModule> = {},
  ) {
    const modules = new Map<string, HandlerModule>()
    for (const [name, max] of Object.entries(concurrency)) {
      const run = (task: HandlerTaskInput): Promise<Json> => this.#run(name, task)
      modules.set(name, { ...more, name, run, ...(max === undefined ? {} : { concurrency: max }) })
    }
    const logger = silentLogger
    const handlers = { find: (name: string) => modules.get(name), names: [...modules.keys()] }
    const { clock, metrics } = this
    this.executor = new Executor({ handlers, clock, logger, metrics, handlersMax, threadsMax: 1, http, secrets })
  }

  request(
    handler: string,
    instanceId: string,
    attempt = 1,
    partition = 0,
    task = 0,
    execution: 'main' | 'thread' = 'main',
  ): void {
    const deliver = (command: Command): void => void this.delivered.push(command)
    const work = { ...workOf(handler, instanceId, attempt, task), execution }
    this.executor.request({ type: 'handler.request', ...work }, partition, deliver)
  }

  /** What the engine does with a granted slot, once it is committed. */
  commit(handler: string, instanceId: string, attempt = 1, task = 0): void {
    this.executor.run({ type: 'handler.run', ...workOf(handler, instanceId, attempt, task) })
  }

  /** The engine stops a task that runs. */
  stop(instanceId: string, { attempt = 1, handler = 'work', stopTimeoutMs = 1_000 } = {}): void {
    const deliver = (command: Command): void => void this.delivered.push(command)
    this.executor.stop({ type: 'handler.stop', ...workOf(handler, instanceId, attempt), stopTimeoutMs }, 0, deliver)
  }

  /** Instances whose stops have ended, since the last look. */
  stopsEnded(): string[] {
    const ended = this.delivered.filter((command) => command.type === 'task.stop-ended')
    this.delivered.splice(0, this.delivered.length, ...this.delivered.filter(({ type }) => type !== 'task.stop-ended'))
    return ended.map(({ instanceId }) => instanceId)
  }

  /** Instances that were granted a slot since the last look. */
  granted(): string[] {
    const granted = this.delivered.filter(({ type }) => type === 'task.execute')
    this.delivered.splice(0, this.delivered.length, ...this.delivered.filter(({ type }) => type !== 'task.execute'))
    return granted.map((command) => ('instanceId' in command ? command.instanceId : ''))
  }

  runOf(instanceId: string): Run {
    return this.#begun.get(instanceId) ?? assert.fail(`${instanceId} runs`)
  }

  #run(handler: string, task: HandlerTaskInput): Promise<Json> {
    this.runs.push(`${handler} ${task.instance.id}`)
    return new Promise((resolve, reject) => this.#begun.set(task.instance.id, { task, finish: resolve, fail: reject }))
  }
}

suite('an executor', () => {
  test('grants at once what there are slots for, and the rest as they become free, in order', async () => {
    const bench = new Bench(2, { work: undefined })
    for (const id of ['a', 'b', 'c', 'd']) bench.request('work', id)
    assert.deepEqual(bench.granted(), ['a', 'b'])
    bench.commit('work', 'a')
    bench.commit('work', 'b')
    bench.runOf('b').finish(1)
    await setImmediate()
    assert.deepEqual([bench.granted(), bench.executor.running], [['c'], 2])
  })

  test('H1: begins no run before it was recorded', () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    assert.deepEqual([bench.granted(), bench.runs], [['a'], []])
    bench.commit('work', 'a')
    assert.deepEqual(bench.runs, ['work a'])
  })

  test('a handler at its own limit does not hold up the others', () => {
    const bench = new Bench(3, { narrow: 1, wide: undefined })
    for (const id of ['n1', 'n2', 'n3']) bench.request('narrow', id)
    for (const id of ['w1', 'w2', 'w3']) bench.request('wide', id)
    assert.deepEqual(bench.granted(), ['n1', 'w1', 'w2'])
  })

  test('H2: what is asked for again while it runs is not run twice, and its result goes to the one who asked last', async () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    const late: Command[] = []
    bench.executor.request({ type: 'handler.request', ...workOf('work', 'a') }, 0, (command) => void late.push(command))
    bench.commit('work', 'a')
    bench.runOf('a').finish(1)
    await setImmediate()
    assert.deepEqual(bench.runs, ['work a'])
    assert.deepEqual([late.map(({ type }) => type), bench.granted()], [['task.complete'], ['a']])
    assert.ok(bench.delivered.every(({ type }) => type !== 'task.complete'))
  })

  test('H2: what is asked for again after its grant was lost is granted again, in the same slot', () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.request('work', 'a')
    assert.deepEqual([bench.granted(), bench.executor.running], [['a', 'a'], 1])
  })

  test('a later attempt takes the place of the one before', async () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    const first = bench.runOf('a')
    bench.granted()
    bench.request('work', 'a', 2)
    assert.deepEqual(bench.granted(), ['a'])
    bench.commit('work', 'a', 2)
    first.finish('late')
    await setImmediate()
    assert.deepEqual([bench.delivered, bench.executor.running], [[], 1])
  })

  test('an abort tells the handler, frees its slot, and what it still returns is nobody’s', async () => {
    const bench = new Bench(1, { work: 1 })
    bench.request('work', 'a')
    bench.request('work', 'b')
    bench.commit('work', 'a')
    bench.granted()
    const { task, finish } = bench.runOf('a')
    bench.executor.abort('a', 0)
    assert.deepEqual([task.signal.aborted, bench.granted()], [true, ['b']])
    finish('late')
    await setImmediate()
    assert.deepEqual([bench.delivered, bench.executor.running], [[], 1])
  })

  test('an abort between grant and commit lets nothing run', () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.executor.abort('a', 0)
    bench.commit('work', 'a')
    assert.deepEqual([bench.runs, bench.executor.running], [[], 0])
  })

  test('an abort of what waits takes it out of the queue', async () => {
    const bench = new Bench(1, { work: undefined })
    for (const id of ['a', 'b', 'c']) bench.request('work', id)
    bench.executor.abort('b', 0)
    bench.commit('work', 'a')
    bench.granted()
    bench.runOf('a').finish(1)
    await setImmediate()
    assert.deepEqual(bench.granted(), ['c'])
  })

  test('a partition that is gone takes its handlers along, and no others', () => {
    const bench = new Bench(4, { work: undefined })
    bench.request('work', 'a', 1, 0)
    bench.request('work', 'b', 1, 1)
    bench.commit('work', 'a')
    bench.commit('work', 'b')
    bench.executor.abortPartition(0)
    assert.deepEqual([bench.runOf('a').task.signal.aborted, bench.runOf('b').task.signal.aborted], [true, false])
    assert.equal(bench.executor.running, 1)
  })

  test('gives every attempt of a task one idempotency key, and tells its progress', () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a', 3)
    bench.commit('work', 'a', 3)
    const { task } = bench.runOf('a')
    assert.deepEqual([task.idempotencyKey, task.attempt, task.input], ['a/h', 3, null])
    task.heartbeat({ done: 5 })
    assert.deepEqual(bench.executor.progressOf('a/0'), { done: 5 })
  })

  test('what a handler throws fails the attempt and frees its slot', async () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.granted()
    bench.runOf('a').fail('no')
    await setImmediate()
    assert.deepEqual([bench.delivered.map(({ type }) => type), bench.executor.running], [['task.fail'], 0])
  })

  test('a handler that is not there fails the attempt under `handler-not-found`', async () => {
    const bench = new Bench(1, {})
    bench.request('gone', 'a')
    bench.commit('gone', 'a')
    await setImmediate()
    const failure = bench.delivered.find((command) => command.type === 'task.fail')
    assert.equal(failure?.error.code, 'handler-not-found')
  })

  test('H3: what a restored partition does not ask for again is over, and gives back its slot', async () => {
    const bench = new Bench(3, { work: undefined })
    for (const id of ['granted', 'runs', 'owed']) bench.request('work', id)
    bench.request('work', 'elsewhere', 1, 1)
    bench.commit('work', 'runs')
    bench.granted()
    const asked = bench.executor.asking(0)
    bench.request('work', 'owed')
    asked()
    await setImmediate()
    assert.equal(bench.runOf('runs').task.signal.aborted, true)
    assert.deepEqual([bench.granted().sort(), bench.executor.running], [['elsewhere', 'owed'], 2])
  })

  test('a handler that holds the event loop is named', async () => {
    const bench = new Bench(1, {})
    const clock = bench.clock
    const slow: HandlerModule = { name: 'slow', run: () => clock.advance(501) }
    const warnings: string[] = []
    const warn = (_fields: object, message: string) => void warnings.push(message)
    const logger = { ...silentLogger, child: () => ({ ...silentLogger, warn }) }
    const handlers = { find: () => slow, names: ['slow'] }
    const { metrics } = bench
    const executor = new Executor({ handlers, clock, logger, metrics, handlersMax: 1, threadsMax: 1, http, secrets })
    executor.request({ type: 'handler.request', ...workOf('slow', 'a') }, 0, () => {})
    executor.run({ type: 'handler.run', ...workOf('slow', 'a') })
    await setImmediate()
    assert.equal(warnings.filter((warning) => warning.includes('slow')).length, 1)
  })

  test('no more handlers are granted slots in threads than there are threads, and the others go on', async () => {
    const bench = new Bench(4, { work: undefined })
    for (const id of ['t1', 't2']) bench.request('work', id, 1, 0, 0, 'thread')
    for (const id of ['m1', 'm2']) bench.request('work', id)
    assert.deepEqual(bench.granted(), ['t1', 'm1', 'm2'])
    bench.executor.abort('t1', 0)
    assert.deepEqual(bench.granted(), ['t2'])
  })

  test('a concurrency of its own counts a handler in threads and beside them', () => {
    const bench = new Bench(4, { work: 1 })
    bench.request('work', 'm1')
    bench.request('work', 't1', 1, 0, 0, 'thread')
    assert.deepEqual(bench.granted(), ['m1'])
    bench.executor.abort('m1', 0)
    assert.deepEqual(bench.granted(), ['t1'])
  })
})

suite('a stop', () => {
  test('H4: aborts the signal, then calls `stop` with the same task, and is over when both have returned', async () => {
    const stops: HandlerTaskInput[] = []
    const stopped = Promise.withResolvers<void>()
    const stop = (task: HandlerTaskInput): Promise<void> => {
      assert.equal(task.signal.aborted, true)
      stops.push(task)
      return stopped.promise
    }
    const bench = new Bench(1, { work: undefined }, { stop })
    bench.request('work', 'a')
    bench.request('work', 'b')
    bench.commit('work', 'a')
    bench.granted()
    const { task, finish } = bench.runOf('a')
    bench.stop('a')
    assert.deepEqual(stops, [task])
    finish('late')
    await setImmediate()
    assert.deepEqual([bench.stopsEnded(), bench.delivered, bench.executor.running], [[], [], 1])
    stopped.resolve()
    await setImmediate()
    assert.deepEqual([bench.stopsEnded(), bench.granted()], [['a'], ['b']])
  })

  test('H4: without a `stop` is over when the handler has returned', async () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.granted()
    bench.stop('a')
    await setImmediate()
    assert.deepEqual(bench.stopsEnded(), [])
    bench.runOf('a').fail(new Error('aborted'))
    await setImmediate()
    assert.deepEqual([bench.stopsEnded(), bench.delivered, bench.executor.running], [['a'], [], 0])
  })

  test('H4: is over when its time is, once, and `stop` is told', async () => {
    let told: AbortSignal | undefined
    const stop = (_task: HandlerTaskInput, signal: AbortSignal): Promise<void> => {
      told = signal
      return new Promise(() => {})
    }
    const bench = new Bench(1, { work: undefined }, { stop })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.granted()
    bench.stop('a')
    bench.clock.advance(999)
    assert.deepEqual([bench.stopsEnded(), told?.aborted], [[], false])
    bench.clock.advance(1)
    assert.deepEqual([bench.stopsEnded(), told?.aborted, bench.executor.running], [['a'], true, 0])
    bench.runOf('a').finish('late')
    await setImmediate()
    assert.deepEqual(bench.delivered, [])
  })

  test('that throws is over', async () => {
    const bench = new Bench(
      1,
      { work: undefined },
      {
        stop: () => {
          throw new Error('no')
        },
      },
    )
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.runOf('a').finish(1)
    bench.stop('a')
    await setImmediate()
    assert.deepEqual(bench.stopsEnded(), ['a'])
  })

  test('H2: is not called again while it is under way, and its end is told to the one who asked last', async () => {
    const stopped = Promise.withResolvers<void>()
    let stops = 0
    const stop = (): Promise<void> => {
      stops += 1
      return stopped.promise
    }
    const bench = new Bench(1, { work: undefined }, { stop })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.granted()
    bench.stop('a')
    const asked = bench.executor.asking(0)
    bench.stop('a')
    asked()
    bench.runOf('a').finish(1)
    stopped.resolve()
    await setImmediate()
    assert.deepEqual([stops, bench.stopsEnded()], [1, ['a']])
  })

  test('of a run that was cut short by a death or a move calls `stop` all the same, without a slot', async () => {
    const stops: string[] = []
    const stop = (task: HandlerTaskInput): void => void stops.push(`${task.instance.id} ${task.signal.aborted}`)
    const bench = new Bench(1, { work: undefined }, { stop })
    bench.request('work', 'b')
    bench.granted()
    bench.stop('a')
    await setImmediate()
    assert.deepEqual([stops, bench.stopsEnded(), bench.executor.running], [['a true'], ['a'], 1])
  })

  test('H3: of a partition that is gone tells nobody', async () => {
    const bench = new Bench(1, { work: undefined })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    bench.granted()
    bench.stop('a')
    bench.executor.abortPartition(0)
    bench.runOf('a').finish(1)
    bench.clock.advance(60_000)
    await setImmediate()
    assert.deepEqual([bench.delivered, bench.executor.running], [[], 0])
  })
})

suite('the schemas of a handler', () => {
  const positive = {
    schema: { const: 1 },
    validate: (value: Json) => (value === 1 ? [] : [{ pointer: '', message: 'must be 1' }]),
  }

  test('an input that does not fit fails the attempt before the run, for good', async () => {
    const bench = new Bench(1, { work: undefined }, { input: positive })
    bench.request('work', 'a')
    bench.commit('work', 'a')
    await setImmediate()
    const failure = bench.delivered.find((command) => command.type === 'task.fail')
    assert.deepEqual([bench.runs, failure?.error.code, failure?.isRetryable], [[], 'input-invalid', false])
  })

  test('an output that does not fit fails the attempt, for good', async () => {
    const bench = new Bench(2, { work: undefined }, { output: positive })
    for (const [id, output] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      bench.request('work', id)
      bench.commit('work', id)
      bench.runOf(id).finish(output)
    }
    await setImmediate()
    const failure = bench.delivered.find((command) => command.type === 'task.fail')
    assert.deepEqual([failure?.error.code, failure?.isRetryable], ['output-invalid', false])
    assert.equal(bench.delivered.filter(({ type }) => type === 'task.complete').length, 1)
  })
})
