// Replies that come when nobody expects them. What became of each is told by the instance's timeline, or, where no
// instance is concerned, by a counter of `GET /health`.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { InstanceView } from '../../src/runtime/face.ts'
import { Site, type Daemon } from '../support/daemon.ts'

interface Ask {
  readonly timeout?: string
  readonly keep?: string
  /** Before the command is sent: what a reply can be faster than. */
  readonly delay?: string
}

/** Asks on one topic, waits on another for the answer to its value, which instances may share. */
const ask = ({ timeout = '1h', keep = '1h', delay = '0s' }: Ask = {}): string => `
workflow: ask
start: [{ topic: asks }]
tasks:
  - { name: pause, type: trigger, delay: ${delay} }
  - { name: question, type: kafka-command, topic: questions, value: { about: "\${ input.about }" } }
  - name: answer
    type: kafka-listener
    topic: answers
    correlate: { message: message.value.about, instance: input.about }
    timeout: ${timeout}
    keep: ${keep}
`

async function asking(t: TestContext, options?: Ask): Promise<Daemon> {
  return Site.of(t, { 'workflows/ask.yaml': ask(options) }).start()
}

const isWaiting = ({ waitingAt }: InstanceView): boolean => waitingAt.includes('answer')
const answerOf = ({ tasks }: InstanceView) => tasks.find(({ name }) => name === 'answer')
const notes = ({ timeline }: InstanceView): readonly (string | undefined)[] =>
  timeline.filter(({ task, status }) => task === 'answer' && status === 'COMPLETED').map(({ note }) => note)

test('a reply before its command was even sent is kept, and the timeline says so', async (t) => {
  const daemon = await asking(t, { delay: '500ms' })
  await daemon.produce('asks', 'a', { about: 'x' })
  const place = await daemon.produce('answers', 'any', { about: 'x', word: 'early' })
  const before = await daemon.until(async () => {
    const instance = await daemon.client.findInstanceByKey('ask', 'a')
    return instance === undefined || (await daemon.counter('record_kept')) === 0 ? undefined : instance
  })
  assert.deepEqual(before.waitingAt, ['pause'])
  const ended = await daemon.instance('ask', 'a')
  assert.equal(ended.status, 'COMPLETED')
  assert.deepEqual(answerOf(ended)?.output, { about: 'x', word: 'early' })
  assert.deepEqual(notes(ended), [`kept record ${place}`])
  assert.equal(await daemon.counter('record_unkept_matched'), 1)
  assert.equal((await daemon.records('questions')).length, 1)
})

test('a reply before its instance was even started is kept for it', async (t) => {
  const daemon = await asking(t)
  const place = await daemon.produce('answers', 'any', { about: 'x' })
  await daemon.until(async () => ((await daemon.counter('record_kept')) === 1 ? true : undefined))
  await daemon.produce('asks', 'a', { about: 'x' })
  assert.deepEqual(notes(await daemon.instance('ask', 'a')), [`kept record ${place}`])
})

test('a kept reply outlives kill -9', async (t) => {
  const site = Site.of(t, { 'workflows/ask.yaml': ask() })
  const daemon = await site.start()
  const place = await daemon.produce('answers', 'any', { about: 'x' })
  await daemon.until(async () => ((await daemon.counter('record_kept')) === 1 ? true : undefined))
  await daemon.kill()
  const again = await site.start()
  await again.produce('asks', 'a', { about: 'x' })
  assert.deepEqual(notes(await again.instance('ask', 'a')), [`kept record ${place}`])
})

test('a reply that comes twice answers once, and never the next instance with the value', async (t) => {
  const daemon = await asking(t)
  await daemon.produce('asks', 'a', { about: 'x' })
  await daemon.instance('ask', 'a', isWaiting)
  // In one call, so that the second is there before the first has ended the instance.
  const [first] = await daemon.client.produce('answers', [
    { key: 'r', value: { about: 'x', word: 'first' } },
    { key: 'r', value: { about: 'x', word: 'second' } },
  ])
  const ended = await daemon.instance('ask', 'a')
  assert.deepEqual(notes(ended), [`record answers/${first?.partition}@${first?.offset}`])
  await daemon.until(async () => {
    const { counters } = await daemon.health()
    return (counters['record_unkept_purged'] ?? 0) + (counters['record_dropped'] ?? 0) === 1 ? true : undefined
  })
  await daemon.produce('asks', 'b', { about: 'x' })
  const next = await daemon.instance('ask', 'b', isWaiting)
  assert.equal(next.status, 'EXECUTING')
  await daemon.produce('answers', 'r', { about: 'x', word: 'third' })
  assert.deepEqual(answerOf(await daemon.instance('ask', 'b'))?.output, { about: 'x', word: 'third' })
})

test('a reply to nobody is kept for its time and then counted as expired', async (t) => {
  const daemon = await asking(t, { keep: '200ms' })
  await daemon.produce('answers', 'r', { about: 'nobody' })
  await daemon.until(async () => ((await daemon.counter('record_unkept_expired')) === 1 ? true : undefined))
  const { counters, problems } = await daemon.health()
  assert.equal(counters['record_kept'], 1)
  assert.deepEqual(problems, [])
  await daemon.produce('asks', 'a', { about: 'nobody' })
  assert.equal(isWaiting(await daemon.instance('ask', 'a', isWaiting)), true)
})

test('a reply after the timeout finds a listener that has given up, and is kept for the next', async (t) => {
  const daemon = await asking(t, { timeout: '200ms' })
  await daemon.produce('asks', 'a', { about: 'x' })
  const late = await daemon.instance('ask', 'a')
  assert.deepEqual([late.incidents, answerOf(late)?.error?.code], [1, 'timeout'])
  const place = await daemon.produce('answers', 'r', { about: 'x' })
  await daemon.until(async () => ((await daemon.counter('record_kept')) === 1 ? true : undefined))
  assert.deepEqual(await daemon.client.findInstanceByKey('ask', 'a'), late)
  await daemon.produce('asks', 'b', { about: 'x' })
  assert.deepEqual(notes(await daemon.instance('ask', 'b')), [`kept record ${place}`])
})

test('replies around the timeout, with others waiting for the same value, each answer exactly one', async (t) => {
  const daemon = await asking(t, { timeout: '700ms' })
  const values = Array.from({ length: 40 }, (_, i) => `x-${i}`)
  const start = (name: string): Promise<unknown> =>
    daemon.client.produce(
      'asks',
      values.map((about) => ({ key: `${name}-${about}`, value: { about } })),
    )
  await start('first')
  const began = Date.now()
  const all = (name: string, isSo?: (instance: InstanceView) => boolean): Promise<InstanceView[]> =>
    Promise.all(values.map((about) => daemon.instance('ask', `${name}-${about}`, isSo)))
  await all('first', (instance) => isWaiting(instance) || instance.incidents > 0)
  await start('second')
  // The replies are spread over the moment at which the first listeners give up.
  for (const [index, about] of values.entries()) {
    const dueMs = began + 450 + (index * 400) / values.length
    if (Date.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, dueMs - Date.now()))
    await daemon.produce('answers', 'r', { about })
  }
  const firsts = await all('first')
  const seconds = await all('second')
  for (const [index, first] of firsts.entries()) {
    const second = seconds[index]!
    const taken = [first, second].filter(({ status }) => status === 'COMPLETED')
    assert.ok(taken.length <= 1, `${first.key} and ${second.key} have one reply between them`)
    const others = [first, second].filter(({ status }) => status !== 'COMPLETED')
    for (const other of others) assert.equal(answerOf(other)?.error?.code, 'timeout')
  }
  // Where the second had given up as well, the reply is kept: it is nobody's, and not lost.
  const answered = [...firsts, ...seconds].filter(({ status }) => status === 'COMPLETED').length
  await daemon.until(async () => {
    const { counters } = await daemon.health()
    const kept = (counters['record_kept'] ?? 0) - (counters['record_unkept'] ?? 0)
    return answered + kept === values.length ? true : undefined
  })
})
