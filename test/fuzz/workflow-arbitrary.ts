// Workflows as their authors might write them: every type of task, names that lead somewhere. Valid, most of the time:
// what is wrong is put in afterwards (mutations.ts, yaml-text.ts).
import fc from 'fast-check'
import type { Json } from '../../src/base/json.ts'

export interface JsonObject {
  readonly [key: string]: Json
}

const json = (...values: readonly Json[]): fc.Arbitrary<Json> => fc.constantFrom(...values)

const topic = json('orders', 'replies', 'events.v1', 'said')
const duration = json('10ms', '1s', '5m', '1h30m', '7d', 'PT1H30M', '0s')
const positive = json('10ms', '1s', '1h')
const condition = json(true, false, 'true', 'has(input.a)', 'input.?n.orValue(0) == 0', 'instance.key != ""')
const value = json(
  null,
  1,
  'plain',
  '${ input }',
  'Hello ${ instance.key }, ${ 1 + 1 }',
  '$${ no expression }',
  { id: '${ instance.id }', at: '${ now }', list: [1, '${ vars.v }', { deep: true }] },
  '${ has(input.items) ? input.items.map(x, x) : [] }',
)
const retry: fc.Arbitrary<Json> = fc.record(
  {
    maxAttempts: json(1, 2, 5),
    initialInterval: duration,
    backoffCoefficient: json(1, 1.5, 2),
    maxInterval: duration,
    jitter: json(0, 0.2, 1),
    maxElapsed: positive,
    nonRetryable: json(['a'], ['a', 'b']),
  },
  { requiredKeys: [] },
)
const common = {
  description: json('in words'),
  when: condition,
  set: json({ v: 1 }, { v: '${ instance.key }' }, { v: '${ output }' }),
  retry,
  onFailure: json('incident', 'fail', 'skip'),
  'x-note': value,
}
const pair: Json = { message: 'message.value.id', instance: 'instance.key' }

const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record(
    {
      type: json('kafka-command'),
      topic: json('orders', 'said', '${ "orders" }'),
      value,
      ...common,
      key: json('k', 1, '${ instance.key }'),
      headers: json({ h: 'v' }, { h: '${ instance.id }' }),
      partition: json(0, '${ 0 }'),
    },
    { requiredKeys: ['type', 'topic', 'value'] },
  ),
  fc.record(
    {
      type: json('kafka-listener'),
      topic,
      correlate: json(pair, [pair, { message: 'message.key', instance: 'string(input.n)' }]),
      ...common,
      where: json('message.value.ok', true),
      keep: duration,
      from: json('latest', 'earliest'),
      timeout: positive,
    },
    { requiredKeys: ['type', 'topic', 'correlate'] },
  ),
  fc.record({ type: json('set'), ...common }, { requiredKeys: ['type', 'set'] }),
  fc.record({ type: json('trigger'), delay: json('1s', '${ "1s" }'), ...common }, { requiredKeys: ['type', 'delay'] }),
  fc.record(
    { type: json('trigger'), at: json('2030-01-31T06:00:00Z', '${ now + duration("1s") }'), ...common },
    { requiredKeys: ['type', 'at'] },
  ),
  fc.record({ type: json('handle-it'), with: value, timeout: positive, ...common }, { requiredKeys: ['type'] }),
)

const tasks = fc.letrec<{ list: readonly JsonObject[]; process: JsonObject; decision: JsonObject }>((tie) => ({
  list: fc.array(
    fc.oneof(
      { maxDepth: 2 },
      { weight: 6, arbitrary: leaf },
      { weight: 1, arbitrary: tie('process') },
      { weight: 1, arbitrary: tie('decision') },
    ),
    { minLength: 1, maxLength: 3 },
  ),
  process: fc.record({ type: json('process'), tasks: tie('list') }),
  // Stands for a decision and the tasks that it chooses among, until they have names.
  decision: fc.record({ type: json('decision'), tasks: tie('list') }),
}))

const start = fc.record(
  {
    topic,
    from: json('latest', 'earliest'),
    when: json(true, 'message.value != null'),
    key: json('${ message.key }', '${ message.value.id }'),
    input: json('${ message.value }', { id: '${ message.offset }' }),
  },
  { requiredKeys: ['topic'] },
)

const schedule = fc.record(
  {
    schedule: json('0 6 * * MON-FRI', '*/5 * * * * *', '@daily', '0 0 29 2 *', '30 2 L * *'),
    timezone: json('UTC', 'Europe/Paris', 'Pacific/Apia'),
    overlap: json('skip', 'all', 'latest'),
    catchUp: duration,
    input: json({ n: 1 }, { at: '${ now }' }),
  },
  { requiredKeys: ['schedule'] },
)

/** A document, as a tree. */
export const workflow: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      workflow: json('w', 'order', 'a.b-c_d'),
      tasks: tasks.list,
      vars: json({ v: 1 }, { v: '${ input }', w: null }),
      version: json('1', 2),
      description: json('a workflow'),
      input: json(
        true,
        { type: 'object' },
        { type: ['object', 'null'], properties: { n: { type: 'number' } }, additionalProperties: true },
      ),
      onRunning: json('ignore', 'reject', 'queue', 'replace'),
      onClosed: json('start', 'start-if-failed', 'ignore'),
      start: fc.uniqueArray(fc.oneof({ weight: 2, arbitrary: start }, { weight: 1, arbitrary: schedule }), {
        maxLength: 2,
        selector: (each) => ('topic' in each ? each.topic : each.schedule),
      }),
      output: value,
      retention: duration,
      'x-note': value,
    },
    { requiredKeys: ['workflow', 'tasks', 'vars'] },
  )
  .map((document) => ({ ...document, tasks: named(document.tasks, { next: 0 }, []) }))

/** Gives tasks names that are unique in the document, and writes out what a decision stands for. */
function named(list: readonly JsonObject[], count: { next: number }, first: readonly string[]): readonly JsonObject[] {
  return list.flatMap((task): readonly JsonObject[] => {
    const name = `t${count.next++}`
    const own = { name, ...(first.length > 0 ? { dependsOn: first } : {}), ...task }
    const inner = task['tasks']
    if (!Array.isArray(inner)) return [own]
    if (task['type'] === 'process') return [{ ...own, tasks: named(inner, count, []) }]
    const chosen = inner.map((each: JsonObject) => named([each], count, [name]))
    const names = chosen.flatMap(([each]) => (each === undefined ? [] : [each['name'] ?? '']))
    const cases = names.map((next, index) => ({ when: `input == ${index}`, next: [next] }))
    return [{ name, type: 'decision', cases, default: names.slice(0, 1) }, ...chosen.flat()]
  })
}
