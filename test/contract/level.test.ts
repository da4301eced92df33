import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStore } from '../../src/adapters/level/store.ts'
import { restorableStoreContract, storeContract, type OpenedStore } from './store-contract.ts'

async function openStore(): Promise<OpenedStore> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-level-'))
  const open = () => openLevelStore({ directory: join(folder, '3'), app: 'contract', partition: 3 })
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

storeContract('level store', openStore)
restorableStoreContract('level store', openStore)
