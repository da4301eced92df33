// What customers and other systems do of themselves, drawn before a run begins.
import type { Act } from './plan.ts'
import type { Programs } from './programs.ts'
import type { Random } from './random.ts'

const withinMs = 15_000
const customers = 12

/** The acts of a dozen customers, in no order. */
export function drawActs({ topics }: Programs, random: Random): readonly Act[] {
  const acts: Act[] = []
  for (let number = 0; number < customers; number++)
    drawCustomer(number, topics, random.stream(`customer ${number}`), acts)
  return acts
}

function drawCustomer(number: number, topics: Programs['topics'], random: Random, acts: Act[]): void {
  const produce = (
    topic: string,
    key: string,
    value: string,
    intent: 'start' | 'poison' | 'record',
    atMs: number,
  ): void => {
    // Another partitioner than Kafka's own: whoever produces decides.
    acts.push({ kind: 'produce', atMs, topic, partition: random.int(topics[topic]!), key, value, intent })
  }
  const atMs = random.int(withinMs)
  if (random.chance(0.05)) {
    produce('orders', `poison-${number}`, random.pick(['{ not json', '[]', '{"size":1}']), 'poison', atMs)
    return
  }
  const topic = random.pick(['orders', 'orders', 'reminders', 'fragiles'])
  const key = `${topic}-${number}`
  const about = `about-${Math.floor(number / 4)}`
  const value = JSON.stringify({ id: key, size: random.int(5), about })
  const times = random.chance(0.15) ? 2 : 1
  for (let time = 0; time < times; time++) produce(topic, key, value, 'start', atMs + time * random.int(3_000))
  if (topic === 'orders') {
    // The answer is there before the question was asked; the service answers in any case (outside.ts).
    if (random.chance(0.2)) {
      const early = JSON.stringify({ id: key, status: 'paid', reply: `early ${key}` })
      produce('payment-events', key, early, 'record', atMs + random.int(200))
    }
    return
  }
  const answers = random.pick([0, 1, 1, 2])
  for (let answer = 0; answer < answers; answer++)
    produce('answers', about, JSON.stringify({ about, reply: `${key} ${answer}` }), 'record', atMs + random.int(20_000))
}
