// Whether the topics of an application are as it needs them, for an operator who prepares them: nothing is changed here.
// What is the operator's own (replicas, how long topics of workflows are kept) is shown, and not judged, unless nothing
// could be written.
import { ownTopics, topicsOf } from '../records/keys.ts'
import type { InspectedTopic, TopicDifference } from './face.ts'
import type { TopicSpec } from './ports.ts'

/** A topic as a cluster has it. */
export interface FoundTopic {
  readonly partitions: number
  /** Of the partition that has the fewest. */
  readonly replicas: number
  /** By Kafka's names; absent: they may not be read. */
  readonly settings?: ReadonlyMap<string, string>
}

/** Of Kafka's default `max.message.bytes`: values of the state are as large as it lets them be. */
const batchBytesMin = 1_048_588

const settingsOf: { readonly [cleanup in TopicSpec['cleanup']]: { readonly [setting: string]: string } } = {
  // With "compact,delete" the state would go when it is old.
  compacted: { 'cleanup.policy': 'compact' },
  // The application deletes by itself what is done with.
  unlimited: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
  retained: {},
}

/** Each topic that is needed, sorted by name, with what is wrong with it. @param found by name; a text says why it may not be seen */
export function inspectTopics(
  app: string,
  needed: readonly TopicSpec[],
  found: ReadonlyMap<string, FoundTopic | string>,
): readonly InspectedTopic[] {
  const own = ownTopics(topicsOf(app))
  return needed
    .map((spec) => inspect(spec, own.has(spec.name), found.get(spec.name)))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function inspect(spec: TopicSpec, isOwn: boolean, found: FoundTopic | string | undefined): InspectedTopic {
  const { name } = spec
  if (found === undefined || typeof found === 'string') {
    const difference =
      found === undefined
        ? { found: 'missing', cure: 'Run `dagger-worker topics create`, as a user who may create topics.' }
        : { found, cure: 'Grant Describe on it, or run this as a user who has it.' }
    return { name, isOwn, exists: false, differences: [{ what: 'topic', wanted: 'there', ...difference }] }
  }
  const { partitions, replicas, settings } = found
  const cleanupPolicy = settings?.get('cleanup.policy')
  const bytes = settings?.get('max.message.bytes')
  return {
    name,
    isOwn,
    exists: true,
    partitions,
    replicas,
    ...(cleanupPolicy === undefined ? {} : { cleanupPolicy }),
    ...(bytes === undefined ? {} : { maxMessageBytes: Number(bytes) }),
    differences: [...partitionDifferences(spec, isOwn, partitions), ...settingDifferences(spec, isOwn, found)],
  }
}

function* partitionDifferences(
  { name, partitions: wanted, cleanup }: TopicSpec,
  isOwn: boolean,
  partitions: number,
): Generator<TopicDifference> {
  // Dead letters, and topics of workflows, may have any number.
  if (!isOwn || cleanup === 'retained' || partitions === wanted) return
  const cure =
    wanted === 1
      ? `Make ${name} anew with one partition, unless the application has run already.`
      : `Start workers with --partitions ${partitions} if the other topics of the application have as many; else make ${name} anew, unless the application has run already.`
  yield { what: 'partitions', wanted: `${wanted}`, found: `${partitions}`, cure }
}

function* settingDifferences(
  { name, cleanup }: TopicSpec,
  isOwn: boolean,
  { replicas, settings }: FoundTopic,
): Generator<TopicDifference> {
  if (settings === undefined) {
    const cure = `Grant DescribeConfigs on ${name}, or run this as a user who has it.`
    yield { what: 'settings', wanted: 'to be read', found: 'not allowed', cure }
    return
  }
  const differs = (what: string, wanted: string): TopicDifference => ({
    what,
    wanted,
    found: settings.get(what) ?? 'nothing',
    cure: `kafka-configs.sh --alter --entity-type topics --entity-name ${name} --add-config ${what}=${wanted}`,
  })
  if (isOwn) {
    for (const [setting, wanted] of Object.entries(settingsOf[cleanup]))
      if (settings.get(setting) !== wanted) yield differs(setting, wanted)
    if (Number(settings.get('max.message.bytes')) < batchBytesMin)
      yield differs('max.message.bytes', `${batchBytesMin}`)
  }
  const inSync = Number(settings.get('min.insync.replicas') ?? 1)
  if (replicas < inSync) {
    const cure = `Nothing can be written: give ${name} more replicas with kafka-reassign-partitions.sh, or lower min.insync.replicas.`
    yield { what: 'replicas', wanted: `${inSync} or more (min.insync.replicas)`, found: `${replicas}`, cure }
  }
}
