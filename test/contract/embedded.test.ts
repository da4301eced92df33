import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { Log } from '../../src/runtime/ports.ts'
import { logContract, type OpenedLog } from './log-contract.ts'
import { storeContract, type OpenedStore } from './store-contract.ts'

async function openLog(): Promise<Required<OpenedLog>> {
  const directory = await mkdtemp(join(tmpdir(), 'dw-embedded-'))
  const open = () => openEmbeddedLog({ directory, app: 'contract', clock: systemClock, logger: silentLogger })
  let current: Log = await open()
  return {
    log: current,
    reopen: async () => {
      await current.close()
      return (current = await open())
    },
    dispose: async () => {
      await current.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** The store of a changelog: what is written to it goes through a transaction. */
async function openStore(): Promise<OpenedStore> {
  const { log, reopen, dispose } = await openLog()
  const topic = 'contract.changelog'
  await log.createTopics([{ name: topic, partitions: 3, cleanup: 'compacted' }])
  assert.ok(log.openStoreOf !== undefined)
  const store = await log.openStoreOf(topic, 1)
  const producer = await log.openProducer(randomUUID())
  return {
    store,
    write: async (changes) => {
      await producer.transact(changes.map(({ key, value }) => ({ topic, partition: 1, key: Buffer.from(key), value })))
      await store.apply(changes, store.position!)
    },
    reopen: async () => {
      const again = await reopen()
      assert.ok(again.openStoreOf !== undefined)
      return again.openStoreOf(topic, 1)
    },
    dispose,
  }
}

logContract('embedded log', openLog)
storeContract('changelog of the embedded log', openStore)
