import { MemoryBroker } from '../../src/adapters/memory/broker.ts'
import { MemoryDisk } from '../../src/adapters/memory/disk.ts'
import { createMemoryLog } from '../../src/adapters/memory/log.ts'
import { openMemoryStore } from '../../src/adapters/memory/store.ts'
import { logContract } from './log-contract.ts'
import { restorableStoreContract, storeContract, type OpenedStore } from './store-contract.ts'

/** The broker outlives its clients, as the disk outlives the stores that are opened on it. */
async function openStore(): Promise<OpenedStore> {
  const disk = new MemoryDisk()
  let current = await openMemoryStore(disk, 3)
  return {
    store: current,
    reopen: async () => {
      await current.close()
      return (current = await openMemoryStore(disk, 3))
    },
    dispose: () => current.close(),
  }
}

logContract('memory log', async () => {
  const broker = new MemoryBroker()
  const log = createMemoryLog(broker)
  return {
    log,
    reopen: async () => {
      await log.close()
      return createMemoryLog(broker)
    },
    dispose: () => log.close(),
  }
})
storeContract('memory store', openStore)
restorableStoreContract('memory store', openStore)
