import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installKafka } from './install.ts'

const run = promisify(execFile)

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * Produces a record for each key to each topic with Kafka's own Java producer, values "value of <key>"; resolves to the
 * partitions that it chose, by topic, in the order of the keys.
 */
export async function produceWithJava(
  brokers: readonly string[],
  topics: ReadonlyMap<string, Compression>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const classPath = join(await installKafka(), '*')
  const source = join(import.meta.dirname, 'Produce.java')
  const encoding = ['-Dfile.encoding=UTF-8', '-Dsun.jnu.encoding=UTF-8', '-XX:TieredStopAtLevel=1']
  const how = [...topics].map(([topic, compression]) => `${topic}=${compression}`).join(',')
  const produce = ['-cp', classPath, ...encoding, source, brokers.join(','), how, ...keys]
  const { stdout } = await run('java', produce, { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
  const lines = stdout.trim().split('\n')
  return new Map([...topics.keys()].map((topic, at) => [topic, lines[at]!.split(' ').map(Number)]))
}
