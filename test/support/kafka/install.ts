// A Kafka without Docker: its jars from Maven Central, once for a machine, into a cache folder outside of the repository.
// The folder gets its final name by one rename when it is complete, so that neither a download that was cut short nor two
// at once leave a Kafka that lacks something.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const pom = join(import.meta.dirname, 'pom.xml')
const downloadTimeoutMs = 5 * 60_000

/** Resolves to the folder of Kafka's jars, fetched with Maven where they are not there yet. */
export async function installKafka(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dagger-worker')
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(pom, 'utf8'))![1]!
  const folder = join(cache, `kafka-${version}`)
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const partial = await mkdtemp(`${folder}-partial-`)
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`]
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { timeout: downloadTimeoutMs })
    await rename(partial, folder)
  } catch (error) {
    // Another process may have been faster; its jars are as good.
    if (!existsSync(folder)) {
      const cause = 'Kafka for the tests could not be fetched: that takes `mvn`, Java 17 and Maven Central'
      throw new Error(`${cause}, or KAFKA_BROKERS with the address of a broker`, { cause: error })
    }
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}
