// The transactional producer of the embedded log. One process holds the directory, so an epoch is an object: opening an
// id again fences the one before, and what that one has under way is decided first.
import { assert } from '../../base/assert.ts'
import { OutcomeUnknown, PartitionFenced, TransientFault } from '../../base/errors.ts'
import type { CommittedEnd, OutgoingRecord, Producer } from '../../runtime/ports.ts'
import type { Committer } from './committer.ts'
import type { RoutedRecord } from './group.ts'
import type { PartitionLog } from './partition-log.ts'

export class EmbeddedProducer implements Producer {
  readonly #id: string
  readonly #committer: Committer
  /** Checks the records and finds their partitions. @throws {RecordRefused} */
  readonly #route: (records: readonly OutgoingRecord[]) => { routed: RoutedRecord[]; bytes: number }
  #underWay: Promise<unknown> | undefined
  #state: 'open' | 'fenced' | 'unknown' | 'closed' = 'open'

  constructor(
    id: string,
    committer: Committer,
    route: (records: readonly OutgoingRecord[]) => { routed: RoutedRecord[]; bytes: number },
  ) {
    this.#id = id
    this.#committer = committer
    this.#route = route
  }

  async transact(records: readonly OutgoingRecord[]): Promise<readonly CommittedEnd[]> {
    this.#expectUsable()
    assert(this.#underWay === undefined, `two transactions at once on producer ${this.#id}`)
    const { routed, bytes } = this.#route(records)
    if (routed.length === 0) return []
    const outcome = new Promise<readonly number[]>((resolve, reject) => {
      this.#committer.submit({ records: routed, bytes, resolve, reject })
    })
    this.#underWay = outcome
    try {
      return endsOf(routed, await outcome)
    } catch (error) {
      if (error instanceof OutcomeUnknown && this.#state === 'open') this.#state = 'unknown'
      throw error
    } finally {
      this.#underWay = undefined
    }
  }

  /** Refuses everything from now on; resolves when what is under way is decided. */
  async fence(): Promise<void> {
    this.#state = 'fenced'
    await this.#settled()
  }

  async close(): Promise<void> {
    if (this.#state !== 'fenced') this.#state = 'closed'
    await this.#settled()
  }

  async #settled(): Promise<void> {
    await this.#underWay?.catch(() => {}) // its own caller is told
  }

  #expectUsable(): void {
    switch (this.#state) {
      case 'open':
        return
      case 'fenced':
        throw new PartitionFenced(`a newer producer ${this.#id} exists`)
      case 'unknown':
        throw new OutcomeUnknown(`producer ${this.#id} does not know how its last transaction ended: open it again`)
      case 'closed':
        throw new TransientFault(`producer ${this.#id} is closed`)
    }
  }
}

function endsOf(routed: readonly RoutedRecord[], offsets: readonly number[]): readonly CommittedEnd[] {
  const lastOffsets = new Map<PartitionLog, number>()
  for (const [index, { partition }] of routed.entries()) lastOffsets.set(partition, offsets[index]!)
  return Array.from(lastOffsets, ([{ topic, index }, lastOffset]) => ({ topic, partition: index, lastOffset }))
}
