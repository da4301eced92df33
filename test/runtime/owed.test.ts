// What a restored partition asks its handlers for again, and what it does not.
import { test } from 'node:test'
import type { HandlerModule } from '../../src/handlers/contract.ts'
import { startMemoryWorker } from '../support/worker.ts'

const workflow = `
workflow: checking
start:
  - topic: checks
    from: earliest
tasks:
  - name: look
    type: look
`

/** Handlers that wait until they are told to finish; a worker has eight slots for them. */
async function started() {
  const finish: (() => void)[] = []
  const run = () => new Promise<void>((resolve) => finish.push(resolve))
  const look: HandlerModule = { name: 'look', run }
  const memory = await startMemoryWorker(workflow, { partitions: 1, handlers: [look] })
  const check = async (from: number, to: number) => {
    for (let number = from; number < to; number++) await memory.produce('checks', `c${number}`, {})
  }
  return { ...memory, check, finish, completed: () => memory.worker.view().counters['instance_completed'] ?? 0 }
}

test('a result whose batch fell is decided again, and its task takes no second slot', async () => {
  const { broker, check, finish, completed, until } = await started()
  await check(0, 8)
  await until(() => finish.length === 8, 'all slots are in use')
  broker.expireTransactionalId('test-0')
  for (const each of finish) each()
  await until(() => completed() === 8, 'all complete')
  await check(8, 16)
  await until(() => finish.length === 16, 'all slots are free again')
})
