// What a person does about bad records, on either log: finds them, sees why, mends the workflow, gives them back.
import assert from 'node:assert/strict'
import type { Site } from '../support/daemon.ts'

const parcels = (topic: string, weight: string): string => `
workflow: parcel
version: ${weight}
input: { type: object, required: [weight], properties: { weight: { type: ${weight} } } }
start: [{ topic: ${topic} }]
tasks: [{ name: note, type: kafka-command, topic: ${topic}-notes, value: { weight: "\${ input.weight }" } }]
`

/** It can use what the other cannot: nothing of it is done once more. */
const watch = (topic: string): string => `
workflow: watch
start: [{ topic: ${topic} }]
tasks: [{ name: seen, type: trigger, delay: 1ms }]
`

/** @param flags of `start` @param topic that the workflow starts on */
export async function givesLettersBack(site: Site, topic: string, ...flags: readonly string[]): Promise<void> {
  // It should have said string.
  site.write('workflows/parcel.yaml', parcels(topic, 'number'))
  site.write('workflows/watch.yaml', watch(topic))
  let daemon = await site.start(...flags)
  const dead = async (...argv: readonly string[]) => site.type('dead-letter', ...argv, '--server', daemon.url)
  const letters = async (...argv: readonly string[]) =>
    (await dead('list', '--json', ...argv)).stdout
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
  const bytes = Buffer.from([0x7b, 0xff])
  const raw = { key: Buffer.from('raw').toString('base64'), value: bytes.toString('base64') }
  await daemon.client.produce(topic, [raw], 'binary')
  const lies: { [key: string]: string } = {}
  for (const key of ['a', 'b']) lies[key] = await daemon.produce(topic, key, { weight: 'much' })
  await daemon.produce(topic, 'good', { weight: 1 })
  await daemon.instance('parcel', 'good')
  const [letter] = await daemon.until(async () => {
    const found = await letters('--reason', 'input-invalid')
    return found.length === 2 && (await letters()).length === 3 ? found : undefined
  })
  const { topic: from, partition, offset } = letter.source
  assert.equal(lies[letter.key], `${from}/${partition}@${offset}`)
  const name = `${letter.partition}@${letter.offset}`
  const shown = await dead('show', name)
  assert.match(shown.stdout, /"weight": "much"/)
  const command = /dagger-worker (dead-letter redrive \S+)/.exec(shown.stdout)?.[1] ?? ''

  // Too early: it dies again, and says so.
  const early = await site.type(...command.split(' '), '--server', daemon.url)
  assert.equal(early.code, 0, early.stderr)
  const again = await daemon.until(async () => (await letters()).find(({ redrivenTimes }) => redrivenTimes === 1))
  assert.deepEqual([again.key, again.reason], [letter.key, 'input-invalid'])
  assert.match(
    (await dead('show', `${again.partition}@${again.offset}`)).stdout,
    new RegExp(`first +${lies[letter.key]}`),
  )

  site.write('workflows/parcel.yaml', parcels(topic, 'string'))
  await daemon.until(async () =>
    (await daemon.health()).workflows.some(({ label }) => label === 'string') ? true : undefined,
  )
  // At once, and once more after a death: a letter is redriven once.
  const all = ['redrive', '--all', '--workflow', 'parcel']
  const both = await Promise.all([dead(...all), dead(...all)])
  for (const { code, stdout, stderr } of both) assert.ok(code === 0 || code === 3, stdout + stderr)
  await daemon.kill()
  daemon = await site.start(...flags)
  assert.equal((await dead(...all)).code, 0)
  for (const key of ['a', 'b']) {
    const instance = await daemon.instance('parcel', key)
    assert.deepEqual([instance.status, instance.input], ['COMPLETED', { weight: 'much' }])
    assert.match(instance.origin, new RegExp(`^record ${topic}/`))
  }
  const redriven = (await daemon.records(topic)).filter(({ headers }) => headers['dw-redriven-from'] !== undefined)
  const times = (wanted: string): number => redriven.filter(({ key }) => key === wanted).length
  // Each once, and the one that was too early once more.
  assert.deepEqual([times('a'), times('b'), redriven.length], letter.key === 'a' ? [2, 1, 3] : [1, 2, 3])
  const { items } = await daemon.client.listInstances({ workflow: 'watch', limit: 100 })
  assert.deepEqual(new Set(items.map(({ key }) => key)), new Set(['a', 'b', 'good']))
  assert.equal(items.length, 3)
  const pending = await letters('--pending')
  assert.deepEqual(
    pending.map(({ key, reason }) => [key, reason]),
    [['raw', 'not-json']],
  )
  const [{ partition: at, offset: rawOffset }] = pending
  assert.equal((await dead('redrive', `${at}@${rawOffset}`, '--to', `${topic}-notes`)).code, 0)
  const note = (await daemon.records(`${topic}-notes`)).find(({ key }) => key === 'raw')
  assert.equal(note?.valueBase64, raw.value)
}
