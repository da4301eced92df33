// A damaged store that queries meet before the partition does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Unavailable } from '../../src/runtime/face.ts'
import { greetingWorkflow, startMemoryWorker } from '../support/worker.ts'

for (const what of ['instances', 'workflows'] as const) {
  test(`a query of ${what} that meets a damaged store is answered as not ready, and the store is rebuilt`, async () => {
    const memory = await startMemoryWorker(greetingWorkflow)
    const { worker, disk } = memory
    const started = await worker.instances.start({ workflow: 'greeting', key: 'k', input: { name: 'ann' } })
    assert.ok(started.outcome === 'started')
    const id = started.instanceId
    await memory.until(async () => (await worker.instances.find(id))?.status === 'COMPLETED', 'it is over')
    for (const partition of [0, 1, 2]) disk.corrupt(partition)
    const query = {
      instances: () => worker.instances.list({ limit: 9 }),
      workflows: () => worker.workflows.list(),
    }[what]
    await assert.rejects(query(), (error) => error instanceof Unavailable && error.code === 'not-ready')
    await memory.until(async () => {
      try {
        return (await worker.instances.find(id))?.status === 'COMPLETED'
      } catch (error) {
        assert.ok(error instanceof Unavailable)
        return false
      }
    }, 'its partition was rebuilt')
    await worker.stop()
  })
}
