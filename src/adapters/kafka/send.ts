// Sends batches to the leaders of their partitions, round after round: in each, one batch of every partition, one request
// a leader, until each batch has an outcome.
//   S1. A batch of a partition is sent only when the one before it has its outcome: order, and no gap in the sequences.
//   S2. A batch is sent again only where that cannot append it twice: the refusal says that it was not appended, or the
//       broker counts our batches (a stamp with sequences).
//   S3. Nothing is under way when this returns.
import type { Batch, PartitionBatches } from './batches.ts'
import type { Cluster } from './cluster.ts'
import { errorOf, isLeaderMove, isNotAppendedYet, isPerhapsAppended } from './faults.ts'
import type { KafkaError } from './faults.ts'
import { bounds } from './options.ts'
import { encodeBatch } from './record-batch.ts'
import { Retry } from './retry.ts'
import { NoAnswer } from './client.ts'
import type { Broker, KafkaOptions, PlacedBatch, Wire } from './client.ts'

/** By which a broker knows our batches from others' and from their own repetition. */
export interface Stamp {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  /** The next number of each "topic/partition"; grows with what is appended. */
  readonly sequences: Map<string, number>
}

export type Outcome =
  | { readonly baseOffset: number }
  /** Refused; `record` is where in the batch, where the broker says so. Not appended, unless it is `isPerhaps`. */
  | { readonly error: KafkaError; readonly record?: number; readonly isPerhaps: boolean }
  /** Sent, perhaps appended, perhaps yet to be. */
  | { readonly unanswered: NoAnswer }

export interface SendOptions {
  readonly cluster: Cluster
  readonly wire: Wire
  readonly stamp?: Stamp
  /** One batch that fails is enough: those that are not sent yet are left without an outcome. */
  readonly stopsAtFailure: boolean
}

/** Resolves to what became of each batch that was sent. */
export async function send(
  partitions: readonly PartitionBatches[],
  options: SendOptions,
): Promise<ReadonlyMap<Batch, Outcome>> {
  const { cluster, stamp, stopsAtFailure } = options
  const outcomes = new Map<Batch, Outcome>()
  const queues = partitions.map(({ batches }) => [...batches])
  /** What was sent without an answer may be appended: no later refusal to connect changes that. */
  const perhaps = new Map<Batch, NoAnswer>()
  const retry = new Retry(cluster.options.clock)

  for (;;) {
    const heads = queues.filter((queue) => queue.length > 0)
    if (heads.length === 0) return outcomes
    let isMoving = false
    let hasFailed = false
    const requests = await group(
      cluster,
      heads.map((queue) => queue[0]!),
    )
    const rounds = await Promise.all(requests.map((request) => sendOne(request, options)))
    const passing = new Map<Batch, Outcome>()
    for (const [at, request] of requests.entries()) {
      for (const batch of request.batches) {
        const outcome = rounds[at]!.get(batch)!
        if (!mayRepeat(outcome, stamp)) outcomes.set(batch, outcome)
        else {
          isMoving = true
          passing.set(batch, outcome)
          cluster.forget(batch.topic)
        }
        if ('unanswered' in outcome && outcome.unanswered.mayBeDone) perhaps.set(batch, outcome.unanswered)
        else if ('baseOffset' in outcome) perhaps.delete(batch)
      }
    }
    if (isMoving && !(await retry.again())) {
      for (const [batch, outcome] of passing) outcomes.set(batch, outcome)
    }
    for (const queue of heads) {
      const outcome = outcomes.get(queue[0]!)
      if (outcome === undefined) continue
      const batch = queue.shift()!
      const unanswered = perhaps.get(batch)
      if (unanswered !== undefined) outcomes.set(batch, { unanswered })
      if (!('baseOffset' in outcome)) hasFailed = true
      else stamp?.sequences.set(placeOf(batch), afterSequence(stamp, batch))
    }
    if (hasFailed && stopsAtFailure) {
      for (const [batch, unanswered] of perhaps) outcomes.set(batch, { unanswered })
      return outcomes
    }
  }
}

function mayRepeat(outcome: Outcome, stamp: Stamp | undefined): boolean {
  if ('baseOffset' in outcome) return false
  if ('unanswered' in outcome) return stamp !== undefined || !outcome.unanswered.mayBeDone
  return isNotAppendedYet(outcome.error) || (stamp !== undefined && outcome.isPerhaps)
}

interface Request {
  readonly leader: Broker | undefined
  readonly batches: Batch[]
}

/** One request a leader, cut where it would be too large; those that nobody leads now have no leader. */
async function group(cluster: Cluster, heads: readonly Batch[]): Promise<readonly Request[]> {
  const requests = new Map<string, Request & { bytes: number }>()
  for (const batch of heads) {
    const topic = cluster.known(batch.topic) ?? (await cluster.topic(batch.topic).catch(() => undefined))
    const leader = topic === undefined ? undefined : cluster.leaderOf(topic, batch.partition)
    const key = leader === undefined ? '' : `${leader.host}:${leader.port}`
    const request = requests.get(key)
    if (request === undefined) requests.set(key, { leader, batches: [batch], bytes: batch.bytes })
    else if (request.bytes + batch.bytes <= bounds.produceRequestBytesMax) {
      request.batches.push(batch)
      request.bytes += batch.bytes
    }
    // The others have their turn in the next round.
  }
  return [...requests.values()]
}

async function sendOne({ leader, batches }: Request, options: SendOptions): Promise<ReadonlyMap<Batch, Outcome>> {
  const outcomes = new Map<Batch, Outcome>()
  if (leader === undefined) {
    for (const batch of batches) outcomes.set(batch, { error: 'LEADER_NOT_AVAILABLE', isPerhaps: false })
    return outcomes
  }
  try {
    const { wire, cluster, stamp } = options
    const placed = encoded(batches, cluster.options, stamp)
    const id = stamp?.transactionalId ?? null
    for (const answer of await wire.ask(leader, 'produce', id, placed, bounds.brokerTimeoutMs)) {
      const { topic, partition, errorCode, baseOffset, record } = answer
      const batch = batches.find((one) => one.topic === topic && one.partition === partition)!
      const error = errorOf(errorCode)
      outcomes.set(
        batch,
        error === undefined
          ? { baseOffset }
          : { error, isPerhaps: isPerhapsAppended(error), ...(record === undefined ? {} : { record }) },
      )
      if (error !== undefined && isLeaderMove(error)) options.cluster.forget(topic)
    }
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure
    for (const batch of batches) outcomes.set(batch, { unanswered: failure })
  }
  return outcomes
}

const placeOf = ({ topic, partition }: Batch) => `${topic}/${partition}`
const sequenceOf = (stamp: Stamp, batch: Batch): number => stamp.sequences.get(placeOf(batch)) ?? 0
/** Sequences go round at 2^31. */
const afterSequence = (stamp: Stamp, batch: Batch): number =>
  (sequenceOf(stamp, batch) + batch.records.length) % 2 ** 31

function encoded(
  batches: readonly Batch[],
  { clock, compression }: KafkaOptions,
  stamp: Stamp | undefined,
): readonly PlacedBatch[] {
  const nowMs = clock.nowMs()
  return batches.map((batch) => {
    const { topic, partition, records } = batch
    const numbered = stamp && { ...stamp, baseSequence: sequenceOf(stamp, batch) }
    return { topic, partition, bytes: encodeBatch(records, nowMs, numbered, compression) }
  })
}
