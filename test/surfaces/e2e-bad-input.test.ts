// Bad files, bad records, bad commands: each ends in one clear message at the place where somebody can act on it, the
// instances around it go on, and nothing stops the daemon.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstanceView } from '../../src/runtime/face.ts'
import { NotStarted, Site, type Daemon } from '../support/daemon.ts'

const good = `
workflow: good
start: [{ topic: goods }]
tasks: [{ name: note, type: kafka-command, topic: notes, value: { key: "\${ instance.key }" } }]
`

/** The rest of the daemon is as well as ever: an instance runs to its end, and every partition runs. */
async function isUnharmed(daemon: Daemon, key = 'after'): Promise<void> {
  await daemon.produce('goods', key, {})
  assert.equal((await daemon.instance('good', key)).status, 'COMPLETED')
  const { isReady, problems, partitions } = await daemon.health()
  assert.deepEqual([isReady, problems], [true, []])
  assert.deepEqual(new Set(partitions.map(({ phase }) => phase)), new Set(['running']))
}

const errorOf = ({ tasks }: InstanceView, name: string) => tasks.find((task) => task.name === name)?.error

test('every bad file is told at once with its place, the good one serves', async (t) => {
  const site = Site.of(t, {
    'workflows/good.yaml': good,
    'workflows/a-yaml.yaml': 'workflow: a\ntasks:\n  - { name: x, type: set\n',
    'workflows/b-cycle.yaml': `
workflow: b
tasks:
  - { name: egg, type: trigger, delay: 1s, dependsOn: [hen] }
  - { name: hen, type: trigger, delay: 1s, dependsOn: [egg] }
`,
    'workflows/c-unknown.yaml': `
workflow: c
tasks:
  - { name: charge, type: trigger, delay: 1s }
  - { name: ship, type: trigger, delay: 1s, dependsOn: [chrage] }
`,
    'workflows/d-cel.yaml': `
workflow: d
tasks:
  - { name: choose, type: decision, cases: [{ when: "input.amount >", next: [] }] }
`,
  })
  const daemon = await site.start()
  const found = daemon.report.definitionProblems.map(({ code, place, suggestion }) => [
    place?.file.replace(/^.*\//, ''),
    place?.line,
    code,
    suggestion,
  ])
  for (const expected of [
    ['b-cycle.yaml', 4, 'DW_CYCLE', undefined],
    ['c-unknown.yaml', 5, 'DW_UNKNOWN_TASK', 'charge'],
    ['d-cel.yaml', 4, 'DW_EXPRESSION', undefined],
  ]) {
    const one = found.filter(([file]) => file === expected[0])
    assert.deepEqual(one, [expected], 'one message for one mistake')
  }
  assert.deepEqual(
    new Set(found.filter(([file]) => file === 'a-yaml.yaml').map(([, , code]) => code)),
    new Set(['DW_YAML']),
  )
  assert.equal(daemon.log.filter(({ level }) => level === 'error').length, 1, 'one report of all of them')
  assert.deepEqual(
    daemon.report.workflows.map(({ name }) => name),
    ['good'],
  )
  await isUnharmed(daemon)
  const { code, stdout } = await site.type('validate', 'workflows')
  assert.equal(code, 1)
  assert.match(stdout, /c-unknown\.yaml:5[^]*charge/)
})

test('an expression that fails while an instance runs is an incident of that instance, with the reason', async (t) => {
  const site = Site.of(t, {
    'workflows/good.yaml': good,
    'workflows/sum.yaml': `
workflow: sum
start: [{ topic: sums }]
vars: { total: 0 }
tasks: [{ name: add, type: set, set: { total: "\${ input.a + input.b }" } }]
output: \${ vars.total }
`,
  })
  const daemon = await site.start()
  await daemon.produce('sums', 'missing', { a: 1 })
  await daemon.produce('sums', 'mixed', { a: 1, b: 'two' })
  await daemon.produce('sums', 'fine', { a: 1, b: 2 })
  for (const key of ['missing', 'mixed']) {
    const instance = await daemon.instance('sum', key)
    assert.deepEqual([instance.status, instance.incidents], ['EXECUTING', 1])
    assert.equal(errorOf(instance, 'add')?.code, 'expression')
    assert.match(errorOf(instance, 'add')?.message ?? '', /input\.a \+ input\.b/)
  }
  assert.equal((await daemon.instance('sum', 'fine')).output, 3)
  await isUnharmed(daemon)
})

test('a start record that is not JSON, or breaks the schema, is in the dead-letter topic once with reason and bytes', async (t) => {
  const site = Site.of(t, {
    'workflows/good.yaml': good,
    'workflows/strict.yaml': `
workflow: strict
input: { type: object, required: [amount], properties: { amount: { type: number } } }
start: [{ topic: stricts }]
tasks: [{ name: wait, type: trigger, delay: 1ms }]
`,
  })
  const daemon = await site.start()
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x22])
  const [raw] = await daemon.client.produce(
    'stricts',
    [{ key: Buffer.from('raw').toString('base64'), value: bytes.toString('base64') }],
    'binary',
  )
  const typed = await site.type('produce', 'stricts', '--key', 'text', '--value', 'no json', '--server', daemon.url)
  assert.equal(typed.code, 0)
  await daemon.client.produce('stricts', [
    { key: 'before', value: { amount: 1 } },
    { key: 'broken', value: { amount: 'much' }, headers: { origin: 'shop' } },
    { key: 'after', value: { amount: 2 } },
  ])
  for (const key of ['before', 'after']) assert.equal((await daemon.instance('strict', key)).status, 'COMPLETED')
  await daemon.until(async () => ((await daemon.counter('record_dead_lettered')) === 3 ? true : undefined))
  await daemon.kill()

  // Not again after a restart: what was decided was committed with its letter.
  const again = await site.start()
  await isUnharmed(again)
  const letters = new Map((await again.records('dagger.dead-letter')).map((letter) => [letter.key, letter]))
  assert.equal((await again.records('dagger.dead-letter')).length, 3)
  assert.equal(letters.get('raw')?.headers['dw-reason'], 'not-json')
  assert.equal(letters.get('raw')?.valueBase64, bytes.toString('base64'))
  assert.equal(letters.get('raw')?.headers['dw-source'], `stricts/${raw?.partition}@${raw?.offset}`)
  assert.equal(letters.get('text')?.headers['dw-reason'], 'not-json')
  assert.equal(letters.get('text')?.value, 'no json')
  const broken = letters.get('broken')
  assert.deepEqual([broken?.headers['dw-reason'], broken?.headers['dw-workflow']], ['input-invalid', 'strict'])
  assert.match(broken?.headers['dw-message'] ?? '', /\/amount/)
  assert.deepEqual([broken?.value, broken?.headers['origin']], [{ amount: 'much' }, 'shop'])
  for (const key of ['raw', 'text', 'broken'])
    assert.equal(await again.client.findInstanceByKey('strict', key), undefined)
})

const telling = `
workflow: tell
start: [{ topic: tells }]
tasks:
  - name: send
    type: kafka-command
    topic: \${ input.topic }
    value: ["\${ input.text }", "\${ input.text }", "\${ input.text }", "\${ input.more }"]
output: told
`

test('a command to a missing topic and one of 2 MB fail their tasks, the commands beside them are sent', async (t) => {
  const site = Site.of(t, { 'workflows/good.yaml': good, 'workflows/tell.yaml': telling })
  const daemon = await site.start()
  const text = 'x'.repeat(300_000)
  // As large as a record may be, so that its key is too much: this one only the log can refuse.
  const more = 'x'.repeat(1_048_576 - 3 * text.length - '["","","",""]'.length)
  const small = { topic: 'notes', text: 'a', more: 'b' }
  const bad = {
    missing: { ...small, topic: 'nowhere' },
    unnamed: { ...small, topic: 'no/topic' },
    edge: { topic: 'notes', text, more },
    big: { topic: 'notes', text: 'x'.repeat(700_000), more: '' },
  }
  for (const [key, value] of Object.entries(bad)) {
    await daemon.client.produce('tells', [
      { key: `${key}-before`, value: small },
      { key, value },
      { key: `${key}-after`, value: small },
    ])
  }
  for (const key of Object.keys(bad)) {
    const instance = await daemon.instance('tell', key)
    assert.deepEqual([key, instance.incidents, errorOf(instance, 'send')?.code], [key, 1, 'produce-rejected'])
    for (const neighbour of [`${key}-before`, `${key}-after`])
      assert.equal((await daemon.instance('tell', neighbour)).output, 'told')
  }
  await isUnharmed(daemon)
  const told = (await daemon.records('notes')).map(({ key }) => key)
  assert.equal(new Set(told).size, told.length, 'no command was sent twice')
  assert.equal(told.length, 2 * Object.keys(bad).length + 1)
})

test('a data directory in use and a port that is taken are refused with one message, and the first daemon goes on', async (t) => {
  const site = Site.of(t, { 'workflows/good.yaml': good })
  const daemon = await site.start()
  const refusal = async (...flags: string[]): Promise<NotStarted> => {
    const error: unknown = await site.start(...flags).catch((error: unknown) => error)
    assert.ok(error instanceof NotStarted, String(error))
    return error
  }
  const inUse = await refusal()
  assert.equal(inUse.code, 2)
  assert.match(inUse.stderr, /data directory .* is in use/)
  assert.match(inUse.stderr, /1 problem, nothing was started/)
  const taken = await refusal('--data', 'other', '--port', new URL(daemon.url).port)
  assert.equal(taken.code, 2)
  assert.match(taken.stderr, /1 problem, nothing was started/)
  assert.match(taken.stderr, new RegExp(new URL(daemon.url).port))
  await isUnharmed(daemon)
})
