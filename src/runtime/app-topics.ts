// The topics of an application: made where they are missing, and checked against what this worker was told.
import { ConfigError } from '../base/errors.ts'
import { topicsOf } from '../records/keys.ts'
import type { Log } from './ports.ts'

export interface AppTopicsOptions {
  readonly log: Log
  readonly app: string
  readonly partitions: number
  readonly createsTopics: boolean
}

/** @throws {ConfigError} DW_PARTITIONS_DIFFER: the number of partitions is fixed when the application is made. */
export async function prepareTopics({ log, app, partitions, createsTopics }: AppTopicsOptions): Promise<void> {
  const topics = topicsOf(app)
  if (createsTopics) {
    await log.createTopics([
      { name: topics.inbox, partitions, cleanup: 'unlimited' },
      { name: topics.changelog, partitions, cleanup: 'compacted' },
      { name: topics.definitions, partitions: 1, cleanup: 'compacted' },
      { name: topics.deadLetter, partitions, cleanup: 'retained' },
    ])
  }
  const changelog = (await log.describeTopics([topics.changelog])).get(topics.changelog)
  if (changelog === undefined || changelog.partitions === partitions) return
  const message = `the application ${app} was made with ${changelog.partitions} partitions, and that is fixed; this worker was told ${partitions}. Start it with --partitions ${changelog.partitions}.`
  throw new ConfigError([{ code: 'DW_PARTITIONS_DIFFER', message }])
}
