import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbeddedLog } from '../../src/adapters/embedded/log.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { topicsOf } from '../../src/records/keys.ts'
import { TopicAccess } from '../../src/runtime/topic-access.ts'

test('a page that is there is given to those who do not wait; at the end they are told so at once', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'dw-access-'))
  t.after(() => rm(directory, { recursive: true }))
  const log = await openEmbeddedLog({ directory, app: 'a', clock: systemClock, logger: silentLogger })
  t.after(() => log.close())
  await log.createTopics([{ name: 't', partitions: 1, cleanup: 'retained' }])
  const access = new TopicAccess(log, systemClock, topicsOf('a'))
  const value = Buffer.from(JSON.stringify('x'.repeat(1_000)))
  await access.produce(
    't',
    Array.from({ length: 500 }, () => ({ value })),
  )
  const read = (offset: number) => access.consume({ topic: 't', partition: 0, offset, limit: 100, waitMs: 0 })
  for (let times = 0; times < 50; times++) {
    for (let offset = 0; offset < 500; offset += 100) assert.notEqual((await read(offset))?.records.length, 0)
    assert.deepEqual(await read(500), { records: [], nextOffset: 500 })
  }
})
