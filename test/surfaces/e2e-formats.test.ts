// Records that are not JSON and keys that are not text, from the producer to the command, on the embedded log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Site } from '../support/daemon.ts'
import { formatCourse } from '../support/format-course.ts'

test('texts, bytes and keys that are no text are read and written as the workflow says, over a kill -9', async (t) => {
  const { expectedScan, key, number, picture, scan, workflow } = formatCourse
  const site = Site.of(t, { 'workflows/parcel.yaml': workflow((name) => name) })
  let daemon = await site.start()
  const base64 = (bytes: Buffer): string => bytes.toString('base64')
  const scanned = { key: base64(key), value: base64(Buffer.from(scan)), headers: { station: 'S1' } }
  await daemon.client.produce('scans', [scanned], 'binary')
  await daemon.instance('parcel', number, ({ waitingAt }) => waitingAt.includes('photographed'))
  await daemon.kill()
  daemon = await site.start()
  await daemon.client.produce('pictures', [{ key: base64(key), value: base64(picture) }], 'binary')
  const instance = await daemon.instance('parcel', number)
  assert.deepEqual([instance.status, instance.output], ['COMPLETED', expectedScan])
  assert.deepEqual(instance.input, { gate: expectedScan, station: 'S1' })
  assert.equal(instance.tasks.find(({ name }) => name === 'shout')?.error?.code, 'produce-rejected')

  const [label] = await daemon.records('labels')
  // Both are UTF-8 by accident, or not: what is not comes as base64.
  assert.deepEqual([label?.key, label?.valueBase64], ['\0\0\0\u0007', base64(picture)])
  const [event] = await daemon.records('events')
  assert.deepEqual(
    [event?.keyBase64 ?? base64(Buffer.from(event?.key ?? '')), event?.value],
    [base64(key), { gate: expectedScan }],
  )
  const scans = await daemon.records('scans')
  assert.deepEqual(
    scans.map(({ value }) => value),
    [scan, null],
  )

  await daemon.client.produce('scans', [{ key: 'AAE=', value: 'AAE=', headers: { station: 'S2' } }], 'binary')
  await daemon.until(async () => ((await daemon.counter('record_dead_lettered')) > 0 ? true : undefined))
  const [letter] = await daemon.records('dagger.dead-letter')
  assert.equal(letter?.headers['dw-reason'], 'key-not-integer')
  assert.deepEqual([letter?.key, letter?.value, letter?.headers['station']], ['\0\u0001', '\0\u0001', 'S2'])
})
