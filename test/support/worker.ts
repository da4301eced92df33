// A worker of the real runtime on the memory log, in this process, with a clock of ours: for tests that need a whole
// worker and no scheduler.
import assert from 'node:assert/strict'
import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { ManualClock } from '../../src/adapters/memory/clock.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { seededIds } from '../../src/adapters/memory/ids.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { createMemoryMembership, MemoryCoordinator } from '../../src/adapters/memory/membership.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { limits } from '../../src/base/limits.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Tracer } from '../../src/base/tracing.ts'
import { loadWorkflows } from '../../src/definition/parse.ts'
import type { HandlerModule } from '../../src/handlers/contract.ts'
import { handlerSource } from '../../src/handlers/registry.ts'
import type { OnUpdate } from '../../src/runtime/face.ts'
import { Worker } from '../../src/runtime/worker.ts'
import { createRandom } from '../simulation/random.ts'

export interface MemoryWorker {
  readonly worker: Worker
  readonly broker: MemoryBroker
  readonly clock: ManualClock
  readonly disk: MemoryDisk
  /** Produces a record as a plain client does. */
  produce(topic: string, key: string, value: unknown): Promise<void>
  /** Committed values of a topic as JSON, partition by partition. */
  values(topic: string): unknown[]
  /** Lets everything that can go on go on until the condition holds. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>
}

/** Says a name for each that it is given: greetings come in, and go out to `said`. */
export const greetingWorkflow = `
workflow: greeting
start:
  - topic: greetings
    from: earliest
tasks:
  - name: say
    type: kafka-command
    topic: said
    value: { name: "\${ input.name }" }
`

/** @param text workflow files as one YAML text. @param options.after a worker that has stopped: this one takes over */
export async function startMemoryWorker(
  text: string,
  options: {
    handlers?: readonly HandlerModule[]
    partitions?: number
    after?: MemoryWorker
    updates?: boolean
    onUpdate?: readonly OnUpdate[]
    tracer?: Tracer
  } = {},
): Promise<MemoryWorker> {
  const { handlers = [], partitions = 3, after, updates = false, onUpdate = [], tracer } = options
  const broker = after?.broker ?? new MemoryBroker()
  const clock = after?.clock ?? new ManualClock()
  const log = createMemoryLog(broker, { nowMs: () => clock.nowMs() })
  const disk = after?.disk ?? new MemoryDisk()
  const random = createRandom('worker').stream('ids')
  const worker = await Worker.start({
    cachedBytesMax: limits.cachedBytesMax,
    app: 'test',
    partitions,
    workerId: 'w1',
    logKind: 'memory',
    log,
    membership: createMemoryMembership(new MemoryCoordinator({ partitions }), 'w1'),
    openStore: (partition) => openMemoryStore(disk, partition),
    clock,
    ids: seededIds(
      () => random.next(),
      () => clock.nowMs(),
    ),
    handlers: handlerSource(handlers),
    handlersMax: 8,
    threadsMax: 2,
    http: { name: 'http', run: () => null },
    secrets: { read: () => '' },
    logger: silentLogger,
    tracer,
    partitionsOf: () => partitions,
    createsTopics: true,
    updates,
    onUpdate,
    refreshEveryMs: 0,
  })
  const { byFile, problems } = loadWorkflows([{ file: 'test.yaml', text }], {
    handlers: handlers.map(({ name }) => name),
  })
  assert.deepEqual(problems, [])
  await worker.publish({ source: 'test', files: byFile })

  async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (let turn = 0; turn < 2_000; turn++) {
      if (await condition()) return
      await new Promise((resolve) => setImmediate(resolve))
      // Reopening and other small waits of the runtime pass by themselves.
      clock.advance(1)
    }
    assert.fail(`did not happen: ${what}\n${JSON.stringify(worker.view(), null, 2)}`)
  }
  await until(() => worker.view().isReady, 'the worker is ready')
  return {
    worker,
    broker,
    clock,
    disk,
    async produce(topic, key, value) {
      const [outcome] = await log.produce([{ topic, key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)) }])
      assert.ok(outcome !== undefined && 'offset' in outcome)
    },
    values(topic) {
      const values: unknown[] = []
      for (let partition = 0; partition < (broker.findTopic(topic)?.partitions ?? 0); partition++) {
        for (const { value } of broker.fetch(topic, partition, broker.offsets(topic, partition).earliest, 10_000)
          .records) {
          values.push(value === null ? null : JSON.parse(Buffer.from(value).toString()))
        }
      }
      return values
    },
    until,
  }
}
