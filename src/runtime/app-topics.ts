// The topics of an application and of its workflows: which they are, how they are made where they are missing, and that
// they fit what this worker was told. What exists is never changed.
import { ConfigError } from '../base/errors.ts'
import type { Workflow } from '../definition/workflow.ts'
import { topicsOf, type AppTopics } from '../records/keys.ts'
import type { NeededTopic } from './face.ts'
import type { Log, TopicSpec } from './ports.ts'

export interface AppTopicsOptions {
  readonly log: Log
  readonly app: string
  readonly partitions: number
}

/** @throws {ConfigError} DW_PARTITIONS_DIFFER: the number of partitions is fixed when the application is made. */
export async function prepareTopics(
  options: AppTopicsOptions & { readonly updates: boolean; readonly createsTopics: boolean },
): Promise<void> {
  const { log, app, partitions, createsTopics } = options
  if (createsTopics) await log.createTopics(ownTopics(options))
  const topic = topicsOf(app).changelog
  const changelog = (await log.describeTopics([topic])).get(topic)
  if (changelog === undefined || changelog.partitions === partitions) return
  const message = `the application ${app} was made with ${changelog.partitions} partitions, and that is fixed; this worker was told ${partitions}. Start it with --partitions ${changelog.partitions}.`
  throw new ConfigError([{ code: 'DW_PARTITIONS_DIFFER', message }])
}

export interface NeededTopics {
  readonly app: string
  readonly partitions: number
  readonly workflows: readonly Workflow[]
  /** Whether workflows that do not say are told of in the updates' topic. */
  readonly updates: boolean
  /** Of the topics that workflows name. */
  readonly partitionsOf: (topic: string) => number
}

/** What an application and its workflows need. */
export function neededTopics(needed: NeededTopics): readonly TopicSpec[] {
  return [...ownTopics(needed), ...namedTopics(needed.workflows, needed.partitionsOf)]
}

/** Makes what an application and its workflows need; gives all of it, sorted by name. @throws {ConfigError} DW_PARTITIONS_DIFFER */
export async function createAppTopics(options: AppTopicsOptions & NeededTopics): Promise<readonly NeededTopic[]> {
  const { log, workflows, partitionsOf } = options
  const named = namedTopics(workflows, partitionsOf)
  const names = neededTopics(options)
    .map(({ name }) => name)
    .sort()
  const before = await log.describeTopics(names)
  await prepareTopics({ ...options, createsTopics: true })
  await log.createTopics(named)
  const after = await log.describeTopics(names)
  return names.map((name) => ({ name, partitions: after.get(name)?.partitions ?? 0, isNew: !before.has(name) }))
}

/** The topics that workflows read and write, as far as their names are known before an instance runs; sorted. */
export function namedTopics(
  workflows: readonly Workflow[],
  partitionsOf: (topic: string) => number,
): readonly TopicSpec[] {
  const names = new Set<string>()
  for (const workflow of workflows) {
    for (const { topic } of workflow.start) names.add(topic)
    for (const task of workflow.tasks) {
      if (task.type === 'kafka-listener') names.add(task.topic)
      if (task.type === 'kafka-command' && task.topic.isConstant) {
        const topic = task.topic.evaluate({})
        if (typeof topic === 'string') names.add(topic)
      }
    }
  }
  return [...names].sort().map((name) => ({ name, partitions: partitionsOf(name), cleanup: 'retained' }))
}

type TellsUpdates = Pick<Workflow, 'updates'>

/** The topic of updates, where workflows ask for it. */
export function updatesTopic(
  topics: Pick<AppTopics, 'updates'>,
  partitions: number,
  workflows: readonly TellsUpdates[],
): readonly TopicSpec[] {
  const isNeeded = workflows.some(({ updates }) => updates === true)
  return isNeeded ? [{ name: topics.updates, partitions, cleanup: 'retained' }] : []
}

interface OwnTopics extends Pick<NeededTopics, 'app' | 'partitions' | 'updates'> {
  readonly workflows?: readonly TellsUpdates[]
}

function ownTopics({ app, partitions, updates, workflows = [] }: OwnTopics): readonly TopicSpec[] {
  const topics = topicsOf(app)
  return [
    { name: topics.inbox, partitions, cleanup: 'unlimited' },
    { name: topics.changelog, partitions, cleanup: 'compacted' },
    { name: topics.definitions, partitions: 1, cleanup: 'compacted' },
    { name: topics.workers, partitions: 1, cleanup: 'compacted' },
    { name: topics.deadLetter, partitions, cleanup: 'retained' },
    ...updatesTopic(topics, partitions, updates ? [{ updates }] : workflows),
  ]
}
