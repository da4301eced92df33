// What several workers know of one record, as one answer: each knows what came of it in the partitions that run there.
import type { RecordExplanation, RecordLetter, RecordOutcome, RecordUse } from '../faces/explain-face.ts'

export type Standing = Pick<RecordExplanation, 'reading' | 'behind' | 'suggestion'>

/** Of two workers that know of a use the one with the earlier outcome knows more. */
const outcomes: readonly RecordOutcome[] = [
  'started',
  'taken',
  'queued',
  'kept',
  'refused',
  'failed',
  'ignored',
  'not-wanted',
  'not-taken',
  'not-read',
  'unknown',
  'elsewhere',
]

/** @param all of one record, of every worker that answered, this one's first */
export function mergeRecords(all: readonly [RecordExplanation, ...RecordExplanation[]]): RecordExplanation {
  const [own] = all
  if (own.state !== 'there') return own
  // Who reads it says whether it was read: what the others see has other causes until then.
  const unread = all.find(({ reading }) => reading === 'behind' || reading === 'before-the-first')
  if (unread !== undefined) return unread
  const standing = all.find(({ reading }) => reading !== 'unknown') ?? own
  const uses = own.uses.map((use, index) =>
    merged(
      all.flatMap((each) => each.uses[index] ?? []),
      use,
    ),
  )
  const { reading } = standing
  const place = `${own.topic}/${own.partition}@${own.offset}`
  return { ...own, reading, uses, summary: summaryOf(place, standing, uses, own.letters) }
}

function merged(uses: readonly RecordUse[], own: RecordUse): RecordUse {
  const same = uses.filter(({ workflow, kind, value }) => {
    return workflow === own.workflow && kind === own.kind && value === own.value
  })
  const [best = own] = same.toSorted((a, b) => outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome))
  if (best.outcome === 'elsewhere')
    return { ...best, outcome: 'unknown', message: `partition ${best.partition ?? 0} runs in no worker that answers` }
  const instances = same.flatMap(({ outcome, instances: theirs }) => (outcome === best.outcome ? theirs : []))
  return { ...best, instances: [...new Set(instances)] }
}

/** What became of a record, in a sentence. */
export function summaryOf(
  place: string,
  { reading, behind = 0, suggestion }: Standing,
  uses: readonly RecordUse[],
  letters: readonly RecordLetter[],
): string {
  if (reading === 'not-a-source') {
    const hint = suggestion === undefined ? '' : `; ${suggestion} is read`
    return `no workflow reads the topic ${place.slice(0, place.lastIndexOf('/'))}${hint}`
  }
  if (reading === 'behind') return `${place} is not read yet: ${behind} records are before it`
  if (reading === 'before-the-first')
    return `${place} was there before the topic was read for the first time: nobody was given it`
  const good = uses.filter(({ outcome }) => ['started', 'taken', 'kept', 'queued'].includes(outcome))
  if (good.length > 0)
    return good.map(({ workflow, outcome, instances }) => [workflow, outcome, ...instances].join(' ')).join('; ')
  const [letter] = letters
  if (letter !== undefined)
    return `${place} is a dead letter (${letter.reason}): ${letter.message.split('\n')[0] ?? ''}`
  return uses.map(({ workflow, message }) => `${workflow}: ${message}`).join('; ')
}
