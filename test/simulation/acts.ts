// What customers and other systems do of themselves, drawn before a run begins: they start instances by records and by
// calls, say what somebody waits for or nobody does, and send what nobody can use. Which of their habits a seed has, and
// how strong, is drawn first, so that each is dense in some seeds.
import type { Json } from '../../src/base/json.ts'
import type { Content } from './content.ts'
import type { Act, ProduceAct } from './plan.ts'
import { drawPoison } from './poison.ts'
import type { Programs } from './programs.ts'
import type { InputFields } from './programs/draft.ts'
import type { Entrance } from './programs/workflow.ts'
import type { Random } from './random.ts'

/** How likely each is, of each customer. */
interface Habits {
  readonly withinMs: number
  readonly calls: number
  readonly poison: number
  readonly twice: number
  readonly aborts: number
  readonly lateCommits: number
  readonly oddKeys: number
  readonly oddValues: number
  readonly large: number
  readonly earlyReplies: number
  readonly signals: number
}

function drawHabits(random: Random): Habits {
  const sometimes = (most: number): number => (random.chance(0.5) ? most * random.next() : 0)
  return {
    withinMs: random.pick([500, 5_000, 15_000]),
    calls: sometimes(0.6),
    poison: sometimes(0.4),
    twice: sometimes(0.6),
    aborts: sometimes(0.4),
    lateCommits: sometimes(0.5),
    oddKeys: sometimes(0.3),
    oddValues: sometimes(0.2),
    large: random.chance(0.1) ? 0.2 : 0,
    earlyReplies: sometimes(0.5),
    signals: random.pick([0, 0.5, 1]),
  }
}

/** The acts of so many customers, in no order. */
export function drawActs(programs: Programs, random: Random, customers = 10 + random.int(5)): readonly Act[] {
  const habits = drawHabits(random.stream('habits'))
  return Array.from({ length: customers }, (_, number) => number).flatMap((number) =>
    drawCustomer(number, programs, habits, random.stream(`customer ${number}`)),
  )
}

function drawCustomer(number: number, programs: Programs, habits: Habits, random: Random): readonly Act[] {
  const atMs = random.int(habits.withinMs)
  const entrance = random.pick(programs.entrances.flat())
  if (random.chance(habits.poison)) {
    const poison = drawPoison(programs, random)
    if (poison !== undefined) return [produce(poison, programs, random, atMs)]
  }
  const id = random.chance(habits.oddKeys) ? random.pick(oddKeys) : `${entrance.workflow}-${number}`
  const fields: InputFields = {
    id,
    size: random.int(6),
    about: `about-${Math.floor(number / 4)}`,
    number,
    grace: random.pick(['250ms', '1s', '3s']),
  }
  const starts = random.chance(habits.calls)
    ? drawCalls(entrance, fields, random, atMs)
    : drawRecords(entrance, fields, programs, habits, random, atMs)
  const signals = random.chance(habits.signals) ? drawSignals(entrance, fields, random, atMs) : []
  return [...starts, ...drawReplies(fields, programs, habits, random, atMs), ...signals]
}

function drawSignals({ workflow, key }: Entrance, fields: InputFields, random: Random, atMs: number): readonly Act[] {
  return Array.from({ length: 2 + random.int(5) }, (_, number) => ({
    kind: 'signal' as const,
    atMs: atMs + random.int(20_000),
    ...{ workflow, key: key === 'number' ? String(fields.number) : fields.id },
    payload: `signal ${fields.number} ${number}`,
  }))
}

/** Keys that a plain object would trip over, or a text that is shortened, trimmed or compared without care. */
const oddKeys = ['__proto__', 'constructor', 'toString', ' ', 'Ǖ\u0000/|:', '0', 'k'.repeat(1_024)]

function drawCalls({ workflow }: Entrance, fields: InputFields, random: Random, atMs: number): readonly Act[] {
  const input: { readonly [field: string]: Json } = { ...fields }
  const call = {
    kind: 'call',
    ...{ atMs, workflow, key: fields.id, input, idempotencyKey: `call of ${fields.id}` },
    ...(random.chance(0.4) ? { asksAgainAfterMs: random.int(10_000) } : {}),
  } as const
  // Two people, or one who pressed twice.
  return random.chance(0.2) ? [call, { ...call, atMs: atMs + random.int(1_000) }] : [call]
}

function drawRecords(
  entrance: Entrance,
  fields: InputFields,
  programs: Programs,
  habits: Habits,
  random: Random,
  atMs: number,
): readonly Act[] {
  const { topic, key: keyFrom, kind = 'any' } = entrance
  const record = {
    topic,
    key: keyFrom === 'record' && random.chance(0.3) ? random.pick([null, '']) : fields.id,
    value: valueOf({ kind, ...fields }, habits, random),
    intent: 'start',
  } as const
  const first = produce(record, programs, random, atMs, transactionOf(habits, random))
  if (!random.chance(habits.twice)) return [first]
  return [first, produce(record, programs, random, atMs + random.pick([0, 300, 3_000, 12_000]))]
}

function valueOf(fields: { readonly [name: string]: Json }, habits: Habits, random: Random): Content {
  const text = JSON.stringify(fields)
  if (random.chance(habits.oddValues)) {
    const polluting = text.replace('{', '{"__proto__":{"polluted":true},"constructor":1,')
    const keyless = JSON.stringify({ ...fields, id: random.pick<Json>(['', null, 1.5, {}, 'k'.repeat(1_025)]) })
    return random.pick([null, '[]', '7', '"text"', polluting, polluting, keyless, keyless])
  }
  if (!random.chance(habits.large)) return text
  // Too large for an instance, for the inbox with what it is wrapped in, for the dead-letter topic with its reason.
  const times = random.pick([600_000, 800_000, 1_040_000, 1_048_000])
  return { head: text.replace('{', '{"filler":"'), repeated: 'x', times, tail: '"}' }
}

function transactionOf({ aborts, lateCommits }: Habits, random: Random): ProduceAct['transaction'] {
  const openMs = random.int(3_000)
  if (random.chance(aborts)) return { outcome: 'aborted', openMs }
  if (random.chance(lateCommits)) return { outcome: 'committed', openMs }
  return undefined
}

/** What a customer says before or while somebody asks: to one, to several, to nobody. */
function drawReplies(
  { id, about, number }: InputFields,
  programs: Programs,
  habits: Habits,
  random: Random,
  atMs: number,
): readonly Act[] {
  const { topics } = programs
  const acts: Act[] = []
  const say = (topic: string, key: string, value: { readonly [name: string]: Json }, delayMs: number): void => {
    const reply = `${id} ${number} ${acts.length}`
    const record = { topic, key, value: JSON.stringify({ ...value, reply }), intent: 'record' } as const
    acts.push(produce(record, programs, random, atMs + delayMs, transactionOf(habits, random)))
  }
  if ('answers' in topics) {
    const times = random.pick([0, 1, 1, 2])
    for (let time = 0; time < times; time++) {
      const topic = random.chance(habits.oddValues) ? random.pick<Json>([null, {}, 1.5, number]) : about
      say('answers', about, { about: topic, number, tone: random.pick(['kind', 'kind', 'rude']) }, random.int(20_000))
    }
  }
  const asked = ['payment-events', 'shipping-events'].filter((topic) => topic in topics)
  if (asked.length > 0 && random.chance(habits.earlyReplies)) {
    const value = { id, parcel: `parcel-${id}`, instance: 'any', kind: 'shipped', status: 'paid' }
    const task = `command${1 + random.int(6)}`
    for (let time = random.pick([1, 1, 3]); time > 0; time--)
      say(random.pick(asked), id, { ...value, task }, random.int(2_000))
  }
  return acts
}

/** Another partitioner than Kafka's own: whoever produces decides. */
function produce(
  record: Pick<ProduceAct, 'topic' | 'key' | 'value' | 'intent'>,
  { topics }: Programs,
  random: Random,
  atMs: number,
  transaction?: ProduceAct['transaction'],
): ProduceAct {
  const partition = random.int(topics[record.topic]!)
  return { kind: 'produce', atMs, partition, ...record, ...(transaction === undefined ? {} : { transaction }) }
}
