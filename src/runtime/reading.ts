// What others read of a partition that runs: its committed rows. What the store fails with is no answer to them, and ends
// this incarnation of the partition: a damaged store that only queries have met is rebuilt like any other.
import { StoreCorrupted, TransientFault } from '../base/errors.ts'
import { Unavailable } from './face.ts'
import type { Store, StoreEntry } from './ports.ts'
import type { CommittedRows } from './rows.ts'

export class Reading {
  readonly #rows: CommittedRows
  readonly #store: Store
  readonly #onFault: () => void
  /** What the store failed with. */
  fault: StoreCorrupted | TransientFault | undefined

  constructor(rows: CommittedRows, store: Store, onFault: () => void) {
    this.#rows = rows
    this.#store = store
    this.#onFault = onFault
  }

  /** Rows as committed, and what is made of them. @throws {Unavailable} */
  read<Result>(make: (rows: CommittedRows) => Result): Result {
    try {
      return make(this.#rows)
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Committed values of the store, in key order. @throws {Unavailable} */
  async list(range: Parameters<Store['list']>[0]): Promise<readonly StoreEntry[]> {
    try {
      return await this.#store.list(range)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #failed(error: unknown): never {
    if (!(error instanceof StoreCorrupted || error instanceof TransientFault)) throw error
    this.fault ??= error
    this.#onFault()
    throw new Unavailable('not-ready', `the store of the partition cannot be read now: ${error.message}`)
  }
}
