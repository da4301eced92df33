// What a worker says of itself in `<app>.workers`, as JSON by the worker's id: who runs what, where it can be asked, and
// how far it is. For the other workers and for people; nothing is decided by it.

export interface WorkerRecord {
  readonly worker: string
  /** Where its HTTP API is reached. */
  readonly url: string
  /** RFC 3339, as the next. */
  readonly startedAt: string
  /** When it said so. */
  readonly at: string
  /** Partitions that run in it. */
  readonly owned: readonly PartitionPosition[]
  /** Partitions that it keeps a copy of, or restores. */
  readonly copies: readonly PartitionPosition[]
}

export interface PartitionPosition {
  readonly partition: number
  /** The offset of the changelog up to which its store stands; null where there is nothing in it yet. */
  readonly position: number | null
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const encodeWorker = (record: WorkerRecord): Uint8Array => encoder.encode(JSON.stringify({ v: 1, ...record }))

/** undefined: it cannot be read, by a release that knows another form. */
export function decodeWorker(bytes: Uint8Array): WorkerRecord | undefined {
  let said: unknown
  try {
    said = JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined
  }
  const { worker, url, startedAt, at, owned, copies }: { readonly [field: string]: unknown } = Object(said)
  if (typeof worker !== 'string' || typeof url !== 'string' || typeof at !== 'string') return undefined
  return {
    worker,
    url,
    startedAt: typeof startedAt === 'string' ? startedAt : at,
    at,
    owned: positionsOf(owned),
    copies: positionsOf(copies),
  }
}

function positionsOf(said: unknown): readonly PartitionPosition[] {
  if (!Array.isArray(said)) return []
  return said.flatMap((each): PartitionPosition[] => {
    const { partition, position }: { readonly [field: string]: unknown } = Object(each)
    if (typeof partition !== 'number') return []
    return [{ partition, position: typeof position === 'number' ? position : null }]
  })
}
