// A random workflow as a document, and the ways in that it offers: customers have to know what they can start (acts.ts).
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'
import { drawMonitor } from './common.ts'
import { Draft, drawRoutes, firstVars } from './draft.ts'
import { drawSchedules } from './schedule.ts'
import { drawScope } from './scope.ts'

/** A way to start a workflow by a record. */
export interface Entrance {
  readonly workflow: string
  readonly topic: string
  /** Only for records whose value has this `kind`; undefined: for all records of the topic, which is its own. */
  readonly kind: string | undefined
  /** What gives the business key: the record's key (its coordinates where it has none), or its value. */
  readonly key: 'record' | 'id' | 'number'
  /** An input has to have `id` and `size`. */
  readonly hasSchema: boolean
}

export interface WorkflowDocument {
  readonly workflow: string
  readonly [key: string]: Json
}

/** Where random workflows begin: many on one topic, each by its kind of record, or alone on a topic of its own. */
const sharedTopic = 'arrivals'

export const inputSchema = {
  type: 'object',
  required: ['id', 'size'],
  properties: { id: { type: 'string', maxLength: 60 }, size: { type: 'integer', minimum: 0, maximum: 9 } },
}

const fields = ['id', 'size', 'about', 'number', 'grace']

export interface WorkflowOptions {
  readonly edition: number
  readonly ownTopic: string | undefined
  readonly tasksMax: number
  /** Workflows that it may start. */
  readonly children: readonly string[]
}

/** A workflow that only others start: it has no starts, and no children of its own. */
export function drawChild(name: string, random: Random, edition: number): WorkflowDocument {
  const { document } = drawWorkflow(name, random, { edition, ownTopic: undefined, tasksMax: 5, children: [] })
  const { start: _, ...others } = document
  return { ...others, workflow: name }
}

/**
 * Draws a workflow of 3 to `tasksMax` tasks. Another edition under the same name has other tasks; how it is started and
 * how its listeners find their records is its name's.
 */
export function drawWorkflow(
  name: string,
  random: Random,
  { edition, ownTopic, tasksMax, children }: WorkflowOptions,
): { readonly document: WorkflowDocument; readonly entrances: readonly Entrance[] } {
  const head = drawHead(name, random.stream('head'), ownTopic)
  const body = random.stream(`edition ${edition}`)
  const draft = new Draft(body, drawRoutes(random.stream('routes')), 3 + body.int(tasksMax - 2), children)
  const tasks = drawScope(draft)
  const schedules = drawSchedules(name, random.stream(`schedules ${edition}`))
  const document = {
    ...head.document,
    start: [...head.document.start, ...schedules],
    vars: firstVars,
    ...drawAttributes(random.stream(`attributes ${edition}`)),
    tasks,
    ...(body.chance(0.15) ? { monitor: drawMonitor(draft, 'workflow') } : {}),
    ...(body.chance(0.5) ? { output: { id: '${ input.id }', count: '${ vars.count }', note: '${ vars.note }' } } : {}),
    // Nobody has that: what is complete then waits for a person.
    ...(body.chance(0.06) ? { output: '${ input.missing }' } : {}),
  }
  return { document, entrances: head.entrances }
}

function drawHead(
  workflow: string,
  random: Random,
  ownTopic: string | undefined,
): {
  readonly document: WorkflowDocument & { readonly start: readonly Json[] }
  readonly entrances: readonly Entrance[]
} {
  // Compiling a schema costs more than the rest of a workflow, in every worker that starts.
  const hasSchema = random.chance(0.2)
  const entrances: Entrance[] = []
  const add = (topic: string, kind: string | undefined): void =>
    void entrances.push({ workflow, topic, kind, key: random.pick(['record', 'id', 'number']), hasSchema })
  if (ownTopic !== undefined) add(ownTopic, undefined)
  if (ownTopic === undefined || random.chance(0.3)) add(sharedTopic, workflow)
  if (random.chance(0.2)) add(sharedTopic, `${workflow}-again`)
  const document = {
    workflow,
    start: entrances.map((entrance) => ({ ...startOf(entrance), ...drawInput(random) })),
    ...(random.chance(0.7) ? { onRunning: random.pick(['ignore', 'reject', 'queue', 'replace']) } : {}),
    ...(random.chance(0.3) ? { onClosed: random.pick(['start', 'start-if-failed', 'ignore']) } : {}),
    ...(hasSchema ? { input: inputSchema } : {}),
    ...(random.chance(0.3) ? { retention: random.pick(['5s', '1h']) } : {}),
    ...(random.chance(0.2) ? { stopTimeout: random.pick(['1s', '20s']) } : {}),
    ...(random.chance(0.15) ? { maxDuration: random.pick(['5s', '20s', '1m']) } : {}),
  }
  return { document, entrances }
}

/** Of each kind that there is, and one that is absent. */
function drawAttributes(random: Random): { readonly [key: string]: Json } {
  if (!random.chance(0.3)) return {}
  const all = {
    id: 'input.id',
    key: "'key/' + instance.key",
    count: 'vars.count',
    isNoted: "vars.note != ''",
    missing: 'input.missing',
  }
  return { attributes: Object.fromEntries(Object.entries(all).filter(() => random.chance(0.7))) }
}

function startOf({ topic, kind, key }: Entrance): { readonly [key: string]: Json } {
  return {
    topic,
    from: 'earliest',
    ...(kind === undefined ? {} : { when: `message.value.kind == '${kind}'` }),
    ...(key === 'record' ? {} : { key: `\${ message.value.${key} }` }),
  }
}

function drawInput(random: Random): { readonly [key: string]: Json } {
  const whole = '${ message.value }'
  const parts = Object.fromEntries(fields.map((field) => [field, `\${ message.value.${field} }`]))
  return random.chance(0.6) ? {} : { input: random.pick<Json>([whole, parts]) }
}
