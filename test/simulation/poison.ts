// Records that nobody can use: each has to be in the dead-letter topic once, whichever release is current.
import type { Content } from './content.ts'
import type { ProduceAct } from './plan.ts'
import { isRead, type Programs } from './programs.ts'
import type { Entrance } from './programs/workflow.ts'
import type { Random } from './random.ts'

type Poison = Pick<ProduceAct, 'topic' | 'key' | 'value' | 'intent'>

/** Not JSON, whoever reads it: broken, empty, not UTF-8, too deep. */
const unreadable: readonly Content[] = [
  '{ not json',
  '',
  '{"id": "o-1", }',
  { base64: Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64') },
  { head: '', repeated: '[', times: 10_000, tail: '' },
]
/** JSON in which there is no field to be found. */
const pointless: readonly Content[] = [null, '[]', '7', '"text"', '{"__proto__":{"id":1}}']
/** What an input schema refuses (programs/workflow.ts). */
const unfit = [{ size: 'big' }, { size: 99 }, { id: 7, size: 1 }, {}]

/** undefined where no topic can be poisoned for certain. */
export function drawPoison({ releases, entrances }: Programs, random: Random): Poison | undefined {
  const topic = random.pick(entrances.flat()).topic
  const key = `poison-${random.int(1_000)}`
  const offered = entrances.map((each) => each.filter((entrance) => entrance.topic === topic))
  const choices: Poison[] = []
  const add = (value: Content, of: Content = key): void =>
    void choices.push({ topic, key: of, value, intent: 'poison' })
  // A topic that only a later release reads may never be read.
  if (releases[0] === undefined || !isRead(topic, releases[0])) return undefined
  add(random.pick(unreadable))
  add('{"id":"k","size":1}', { base64: Buffer.from([0xc3, 0x28]).toString('base64') })
  const [first] = offered
  if (first !== undefined && first.length > 0 && offered.every((others) => isSame(others, first))) {
    if (first.every(({ kind, key: from }) => kind !== undefined || from !== 'record')) add(random.pick(pointless))
    const guarded = first.filter(({ hasSchema, key: from }) => hasSchema && from === 'record')
    const chosen = guarded.length > 0 ? random.pick(guarded) : undefined
    if (chosen !== undefined) add(JSON.stringify({ kind: chosen.kind ?? 'any', ...random.pick(unfit) }))
  }
  return random.pick(choices)
}

const isSame = (some: readonly Entrance[], others: readonly Entrance[]): boolean =>
  JSON.stringify(some) === JSON.stringify(others)
