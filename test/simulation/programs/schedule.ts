// Schedules of a workflow. They are due every few seconds in the first minutes of the run, and of the day after it, and then
// no more: a run comes to rest. Clocks that jump meet all of it early, late, or twice.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'

type Start = { readonly [key: string]: Json }

/** No schedules, mostly: what they start would be most of what happens. */
export function drawSchedules(workflow: string, random: Random): readonly Start[] {
  if (!random.chance(0.4)) return []
  const first = drawSchedule(workflow, random)
  const second = drawSchedule(workflow, random)
  return random.chance(0.3) && JSON.stringify(first) !== JSON.stringify(second) ? [first, second] : [first]
}

function drawSchedule(workflow: string, random: Random): Start {
  const overlap = random.pick(['skip', 'all', 'all', 'latest'])
  return {
    schedule: `${random.pick(['*/5', '*/12', '7,31,58'])} 0-1 0 1,2 1 *`,
    ...(random.chance(0.3) ? { timezone: random.pick(['UTC', 'Etc/UTC']) } : {}),
    ...(overlap === 'skip' && random.chance(0.5) ? {} : { overlap }),
    // Ten years: all of it, however long nobody was up (checks/schedules.ts).
    ...(random.chance(0.6) ? { catchUp: random.pick(['3650d', '3650d', '10s', '1h']) } : {}),
    input: {
      id: `${workflow} at \${ now }`,
      size: random.int(6),
      about: 'about-0',
      number: random.int(10),
      grace: '1s',
    },
  }
}
