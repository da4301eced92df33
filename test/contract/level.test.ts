import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { writeBehind } from '../../src/adapters/level/write-behind.ts'
import type { Store } from '../../src/runtime/ports.ts'
import { restorableStoreContract, storeContract, type OpenedStore } from './store-contract.ts'

const asItIs = (store: Store): Store => store

async function openStore(as: (store: Store) => Store): Promise<OpenedStore> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-level-'))
  const open = async () => as(await openLevelStore({ directory: join(folder, '3'), app: 'contract', partition: 3 }))
  let current = await open()
  return {
    store: current,
    reopen: async () => {
      await current.close()
      return (current = await open())
    },
    dispose: async () => {
      await current.close()
      await rm(folder, { recursive: true })
    },
  }
}

storeContract('level store', () => openStore(asItIs))
restorableStoreContract('level store', () => openStore(asItIs))
storeContract('level store, written behind', () => openStore(writeBehind))
restorableStoreContract('level store, written behind', () => openStore(writeBehind))
