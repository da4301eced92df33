// Produces for people and for clients of the REST API: no transaction, each record by itself. Nothing counts our batches
// here, so what was sent and not answered is not sent again: it is not known.
import { OutcomeUnknown, RecordRefused, TransientFault } from '../../base/errors.ts'
import type { OutgoingRecord, ProduceOutcome } from '../../runtime/ports.ts'
import { batch, place } from './batches.ts'
import type { Cluster } from './cluster.ts'
import { recordFault } from './faults.ts'
import { send } from './send.ts'
import type { BatchLimits } from './topics.ts'

let produced = 0

/** One outcome a record, in order. @throws {TransientFault} Nothing was produced. @throws {OutcomeUnknown} @throws {NoAnswer} */
export async function produce(
  cluster: Cluster,
  limits: BatchLimits,
  records: readonly OutgoingRecord[],
): Promise<readonly ProduceOutcome[]> {
  await limits.learn([...new Set(records.map((record) => record.topic))])
  const faults: (RecordRefused | Error | undefined)[] = []
  const outcomes: (ProduceOutcome | undefined)[] = []
  const placed = await place(cluster, records, produced++)
  let left: number[] = []
  for (const [index, partition] of placed.entries()) {
    if (typeof partition === 'number') left.push(index)
    else faults[index] = partition
  }
  while (left.length > 0) {
    const indices = left
    left = []
    const chosen = indices.map((index) => records[index]!)
    const partitions = indices.map((index) => placed[index] as number)
    const sent = await send(batch(chosen, partitions, limits), { cluster, wire: cluster.wire, stopsAtFailure: false })
    for (const [one, outcome] of sent) {
      const { topic, partition, bytes } = one
      if ('baseOffset' in outcome) {
        for (const [nth, at] of one.indices.entries())
          outcomes[indices[at]!] = { partition, offset: outcome.baseOffset + nth }
        continue
      }
      const originals = one.indices.map((at) => indices[at]!)
      if ('unanswered' in outcome) {
        const { message, mayBeDone } = outcome.unanswered
        if (mayBeDone) throw new OutcomeUnknown(`${topic}/${partition}: ${message}`)
        for (const index of originals) faults[index] = new TransientFault(message)
      } else if (outcome.isPerhaps) throw new OutcomeUnknown(`${topic}/${partition}: ${outcome.error}`)
      else if (outcome.error === 'MESSAGE_TOO_LARGE' && originals.length > 1) {
        limits.isBelow(topic, bytes)
        left.push(...originals)
      } else {
        // A batch is refused as a whole: those that are good go again without the one that is named.
        const culprit = outcome.record === undefined ? undefined : originals[outcome.record]
        for (const index of originals) {
          if (culprit !== undefined && index !== culprit) left.push(index)
          else faults[index] = recordFault(outcome.error, index, `${topic}/${partition}`)
        }
      }
    }
    left.sort((a, b) => a - b)
  }
  const passing = faults.find((fault) => fault !== undefined && !(fault instanceof RecordRefused))
  if (passing !== undefined && outcomes.every((outcome) => outcome === undefined)) {
    throw new TransientFault(passing.message, { cause: passing })
  }
  return records.map((_, index) => outcomes[index] ?? refusal(faults[index]!))
}

function refusal(fault: Error): ProduceOutcome {
  return { error: fault instanceof RecordRefused ? fault.reason : 'unavailable', message: fault.message }
}
