// What is asked about instances, answered from committed state: of one by its id or key, of many by a filter.
import { assert } from '../base/assert.ts'
import { partitionOfText } from '../base/partitioner.ts'
import { partitionOfInstance } from '../engine/deciders/instance.ts'
import { keyId, workId, type InstanceRow } from '../engine/state.ts'
import { endOf, prefixes } from '../records/keys.ts'
import type { Definitions } from './definitions.ts'
import type { Executor } from './executor.ts'
import { Unavailable, type InstanceFilter, type InstancePage, type InstanceSummary, type InstanceView } from './face.ts'
import type { PartitionHost } from './host.ts'
import { criteriaOf, type InstanceCriteria } from './instance-filter.ts'
import type { Clock, StoreEntry } from './ports.ts'
import type { Reading } from './reading.ts'
import type { CommittedRows } from './rows.ts'
import { expectRunning, runningHere } from './running.ts'
import { summaryOf, viewOf, type Viewed } from './views.ts'

export interface QueriesOptions {
  readonly hosts: readonly PartitionHost[]
  readonly definitions: Definitions
  readonly executor: Executor
  readonly clock: Clock
}

type Watcher = (changed: readonly InstanceSummary[]) => void

/** Rows looked at for one page: a filter that fits nothing ends here and goes on with the cursor. */
const rowsLookedAtMax = 20_000
const rowsAtOnce = 256

export class Queries {
  readonly #options: QueriesOptions
  readonly #followers = new Map<string, Set<() => void>>()
  readonly #watchers = new Set<Watcher>()

  constructor(options: QueriesOptions) {
    this.#options = options
  }

  /** @throws {Unavailable} Its partition does not run here now. */
  find(id: string): InstanceView | undefined {
    const number = partitionOfInstance(id)
    if (number === undefined || number >= this.#options.hosts.length) return undefined
    return expectRunning(this.#options.hosts, number).reading.read((rows) => {
      const row = rows.find('instances', id)
      return row === undefined ? undefined : this.#view(row, number, rows)
    })
  }

  /** The latest with this key. @throws {Unavailable} */
  findByKey(workflow: string, key: string): InstanceView | undefined {
    const number = partitionOfText(key, this.#options.hosts.length)
    const found = expectRunning(this.#options.hosts, number).reading.read((rows) =>
      rows.find('keys', keyId(workflow, key)),
    )
    return found === undefined ? undefined : this.find(found.instanceId)
  }

  /** Newest first; every partition that runs here is looked at. @throws {Unavailable} */
  async list(filter: InstanceFilter): Promise<InstancePage> {
    const running = runningHere(this.#options.hosts)
    const partitions = running.map(({ partition }) => partition)
    const criteria = criteriaOf(filter, this.#options.definitions.catalogue)
    const open = ({ reading }: { readonly reading: Reading }) => InstanceStream.open(reading, criteria, filter.cursor)
    const streams = await Promise.all(running.map(open))
    const items: InstanceSummary[] = []
    let lookedAt = 0
    let last: string | undefined
    while (items.length < filter.limit && lookedAt < rowsLookedAtMax) {
      const newest = newestOf(streams)
      if (newest?.head === undefined) return { items, partitions }
      const row = newest.head
      await newest.advance()
      lookedAt += 1
      last = row.id
      const found = newest.read((rows) => {
        const viewed = this.#viewed(row, rows)
        return criteria.fits(viewed) ? summaryOf(viewed) : undefined
      })
      if (found !== undefined) items.push(found)
    }
    if (newestOf(streams)?.head === undefined || last === undefined) return { items, partitions }
    return { items, partitions, next: last }
  }

  /** Resolves when the instance has changed since its timeline was `seen` long, or after `waitMs`. @throws {Unavailable} */
  async follow(id: string, seen: number, waitMs: number): Promise<InstanceView | undefined> {
    const view = this.find(id)
    if (view === undefined || view.timeline.length + view.timelineDropped > seen || view.endedAt !== undefined)
      return view
    await new Promise<void>((resolve) => {
      const followers = this.#followers.get(id) ?? new Set()
      this.#followers.set(id, followers)
      const done = (): void => {
        cancel()
        followers.delete(done)
        if (followers.size === 0) this.#followers.delete(id)
        resolve()
      }
      const cancel = this.#options.clock.after(waitMs, done)
      followers.add(done)
    })
    return this.find(id)
  }

  /** Calls back with what each commit has changed. What cannot be read then is left out. */
  watch(listener: Watcher): () => void {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  /** A batch was committed that touched these instances. */
  changed(ids: ReadonlySet<string>): void {
    if (this.#watchers.size > 0) {
      const changed = [...ids].flatMap((id) => this.#summary(id) ?? [])
      for (const watcher of this.#watchers) watcher(changed)
    }
    if (this.#followers.size === 0) return
    for (const [id, followers] of this.#followers) if (ids.has(id)) for (const done of [...followers]) done()
  }

  #summary(id: string): InstanceSummary | undefined {
    const running = this.#options.hosts[partitionOfInstance(id) ?? -1]?.running
    try {
      return running?.reading.read((rows) => {
        const row = rows.find('instances', id)
        return row === undefined ? undefined : summaryOf(this.#viewed(row, rows))
      })
    } catch (error) {
      if (error instanceof Unavailable) return undefined
      throw error
    }
  }

  #viewed(row: InstanceRow, rows: CommittedRows): Viewed {
    const workflow = this.#options.definitions.catalogue.find(row.version)
    assert(workflow !== undefined, 'E1: the version of an instance is known')
    return { row, workflow, tables: { blocks: { find: (id) => rows.find('blocks', id) } } }
  }

  #view(row: InstanceRow, partition: number, rows: CommittedRows): InstanceView {
    const { executor } = this.#options
    return viewOf(this.#viewed(row, rows), partition, (task) => {
      const progress = executor.progressOf(workId(row.id, task))
      return progress === undefined || progress === null ? undefined : JSON.stringify(progress)
    })
  }
}

/** Instances of one partition from the newest on: ids sort by the time of their start. */
class InstanceStream {
  readonly #reading: Reading
  readonly #prefix: string
  readonly #from: string
  #page: InstanceRow[] = []
  #before: string
  #isAtEnd = false

  private constructor(reading: Reading, prefix: string, from: string, before: string) {
    this.#reading = reading
    this.#prefix = prefix
    this.#from = from
    this.#before = before
  }

  static async open(
    reading: Reading,
    { prefix, from, to }: InstanceCriteria,
    cursor: string | undefined,
  ): Promise<InstanceStream> {
    const below = to === undefined || (cursor !== undefined && cursor < to) ? cursor : to
    const before = below === undefined ? endOf(prefix) : prefix + below
    const stream = new InstanceStream(reading, prefix, prefix + from, before)
    await stream.#load()
    return stream
  }

  get head(): InstanceRow | undefined {
    return this.#page[0]
  }

  async advance(): Promise<void> {
    this.#page.shift()
    if (this.#page.length === 0) await this.#load()
  }

  /** @throws {Unavailable} */
  read<Result>(make: (rows: CommittedRows) => Result): Result {
    return this.#reading.read(make)
  }

  async #load(): Promise<void> {
    while (this.#page.length === 0 && !this.#isAtEnd && this.#from < this.#before) {
      const range = { from: this.#from, to: this.#before, limit: rowsAtOnce, reverse: true }
      const entries = await this.#reading.list(range)
      this.#page = this.read((rows) => this.#rowsOf(entries, rows))
      this.#before = entries.at(-1)?.key ?? this.#before
      this.#isAtEnd = entries.length < rowsAtOnce
    }
  }

  /** An instance may have been forgotten since an attribute was seen. */
  #rowsOf(entries: readonly StoreEntry[], rows: CommittedRows): InstanceRow[] {
    if (this.#prefix === prefixes.instances) return entries.map(({ value }) => rows.decode('instances', value))
    return entries.flatMap(({ key }) => rows.find('instances', key.slice(this.#prefix.length)) ?? [])
  }
}

function newestOf(streams: readonly InstanceStream[]): InstanceStream | undefined {
  let newest: InstanceStream | undefined
  for (const stream of streams) {
    if (stream.head !== undefined && (newest?.head === undefined || stream.head.id > newest.head.id)) newest = stream
  }
  return newest
}
