// Handlers beside the loop: slots, recorded runs (H1), no double runs (H2), and what an abort frees.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Json } from '../../src/base/json.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Command } from '../../src/engine/command.ts'
import { nullPayload } from '../../src/engine/payload.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import type { HandlerModule, HandlerTaskInput } from '../../src/handlers/contract.ts'
import { Executor } from '../../src/runtime/executor.ts'

interface Run {
  readonly task: HandlerTaskInput
  readonly finish: (output: Json) => void
  readonly fail: (error: unknown) => void
}

/** An executor whose handlers do as the test says. */
class Bench {
  /** Runs that have begun, in order, by "handler instance". */
  readonly runs: string[] = []
  readonly delivered: Command[] = []
  readonly clock = new ManualClock()
  readonly warnings: string[] = []
  readonly executor: Executor
  readonly #begun = new Map<string, Run>()

  constructor(handlersMax: number, concurrency: { readonly [handler: string]: number | undefined }) {
    const modules = new Map<string, HandlerModule>()
    for (const [name, max] of Object.entries(concurrency)) {
      const run = (task: HandlerTaskInput): Promise<Json> => this.#run(name, task)
      modules.set(name, { name, run, ...(max === undefined ? {} : { concurrency: max }) })
    }
    const logger = {
      ...silentLogger,
      warn: (_fields: object, message: string) => void this.warnings.push(message),
      child: () => silentLogger,
    }
    const handlers = { find: (name: string) => modules.get(name), names: [...modules.keys()] }
    this.executor = new Executor({ handlers, clock: this.clock, logger, handlersMax })
  }

  request(handler: string, instanceId: string, attempt = 1, partition = 0, task = 0): void {
    const deliver = (command: Command): void => void this.delivered.push(command)
    this.executor.request({ partition, instanceId, task, attempt, handler }, deliver)
  }

  /** What the engine does with a granted slot, once it is committed. */
  commit(handler: string, instanceId: string, attempt = 1, task = 0): void {
    this.executor.run({
      type: 'handler.run',
      instanceId,
      task,
      attempt,
      handler,
      name: 'h',
      key: 'k',
      workflow: 'w',
      version: 'w@1',
      input: nullPayload,
    })
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
    const request = { partition: 0, instanceId: 'a', task: 0, attempt: 1, handler: 'work' }
    bench.executor.request(request, (command) => void late.push(command))
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
    const logger = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) }
    const handlers = { find: () => slow, names: ['slow'] }
    const executor = new Executor({ handlers, clock, logger, handlersMax: 1 })
    executor.request({ partition: 0, instanceId: 'a', task: 0, attempt: 1, handler: 'slow' }, () => {})
    executor.run({
      type: 'handler.run',
      instanceId: 'a',
      task: 0,
      attempt: 1,
      handler: 'slow',
      name: 'h',
      key: 'k',
      workflow: 'w',
      version: 'w@1',
      input: nullPayload,
    })
    await setImmediate()
    assert.equal(warnings.filter((warning) => warning.includes('slow')).length, 1)
  })
})
