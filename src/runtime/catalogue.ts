// The workflows that this worker knows, as the engine asks for them: every version that was ever published, and which
// one is current. Filled by definitions.ts from the definitions topic.
//
// D1. A topic that any known version reads goes on being read, so that its positions move on and an instance of an old
//     version finds its records.
import { defaultFormat, type TopicFormat } from '../definition/topic-format.ts'
import type { Workflow } from '../definition/workflow.ts'
import { formatOf } from '../engine/format.ts'
import type { Catalogue, ListenerGroup, Route, Start } from '../engine/world.ts'
import type { PublishedFrom } from './faces/workflow-face.ts'

/** Where to begin in a topic that was never read: fixed when the topic is registered. */
export interface Registration {
  readonly topicId: string
  readonly from: 'latest' | 'earliest'
  /** The end of each partition as of registration. */
  readonly ends: readonly number[]
}

/** What a source's directory holds: versions by file name. */
export type Manifest = ReadonlyMap<string, readonly string[]>

/** A version, and what was published of it. */
export interface PublishedVersion {
  readonly workflow: Workflow
  readonly isCurrent: boolean
  /** For the first time. */
  readonly publishedAtMs: number
  /** undefined: no source holds it any more. */
  readonly publishedFrom: PublishedFrom | undefined
}

export class WorkflowCatalogue implements Catalogue {
  readonly #versions = new Map<string, Workflow>()
  readonly #publishedAtMs = new Map<string, number>()
  readonly #manifests = new Map<string, Manifest>()
  readonly #revisions = new Map<string, number>()
  readonly #registrations = new Map<string, Registration>()
  #current = new Map<string, Workflow>()
  #publishedFrom = new Map<string, PublishedFrom>()
  #scheduled: readonly string[] = []
  /** Whether any version asks for updates. */
  hasUpdates = false
  #hasAttributes = false
  readonly #queues = new Set<string>()
  #starts = new Map<string, Start[]>()
  #listeners = new Map<string, ListenerGroup[]>()
  #formats = new Map<string, readonly TopicFormat[]>()

  find(version: string): Workflow | undefined {
    return this.#versions.get(version)
  }

  current(workflow: string): Workflow | undefined {
    return this.#current.get(workflow)
  }

  startsOn(topic: string): readonly Start[] {
    return this.#starts.get(topic) ?? []
  }

  listenersOn(topic: string): readonly ListenerGroup[] {
    return this.#listeners.get(topic) ?? []
  }

  formatsOn(topic: string): readonly TopicFormat[] {
    return this.#formats.get(topic) ?? onlyDefault
  }

  mayQueue(workflow: string): boolean {
    return this.#queues.has(workflow)
  }

  get hasAttributes(): boolean {
    return this.#hasAttributes
  }

  /** The current version of each workflow, by name. */
  listCurrent(): readonly Workflow[] {
    return [...this.#current.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Every version that was ever published, the latest first. */
  listVersions(): readonly PublishedVersion[] {
    const versions = [...this.#versions.values()].map((workflow) => ({
      workflow,
      isCurrent: this.#current.get(workflow.name) === workflow,
      publishedAtMs: this.#publishedAtMs.get(workflow.version) ?? 0,
      publishedFrom: this.#publishedFrom.get(workflow.version),
    }))
    return versions.reverse().sort((a, b) => b.publishedAtMs - a.publishedAtMs)
  }

  /** Workflows with schedules, by name: another list whenever anything has changed. */
  listScheduled(): readonly string[] {
    return this.#scheduled
  }

  /** D1 */
  sourceTopics(): readonly string[] {
    return [...this.#registrations.keys()].sort()
  }

  registration(topic: string): Registration | undefined {
    return this.#registrations.get(topic)
  }

  manifest(source: string): Manifest | undefined {
    return this.#manifests.get(source)
  }

  /** What its publisher said of the manifest of a source: a higher one is a later one. */
  revision(source: string): number | undefined {
    return this.#revisions.get(source)
  }

  /** The first time that a version was published stays. */
  addVersion(workflow: Workflow, publishedAtMs: number): void {
    this.#versions.set(workflow.version, workflow)
    if (workflow.updates === true) this.hasUpdates = true
    this.#hasAttributes ||= workflow.attributes.size > 0
    if (workflow.onRunning === 'queue' || workflow.onRunning === 'replace') this.#queues.add(workflow.name)
    if (!this.#publishedAtMs.has(workflow.version)) this.#publishedAtMs.set(workflow.version, publishedAtMs)
  }

  /** The first registration of a creation of a topic stays. */
  addRegistration(topic: string, registration: Registration): void {
    if (this.#registrations.get(topic)?.topicId !== registration.topicId) this.#registrations.set(topic, registration)
  }

  /** The last manifest of a source is current; of two sources with one workflow, the one published last. */
  setManifest(source: string, manifest: Manifest, revision?: number): void {
    this.#manifests.delete(source)
    this.#manifests.set(source, manifest)
    if (revision === undefined) this.#revisions.delete(source)
    else this.#revisions.set(source, revision)
  }

  /** Brings the indexes in line with what was added. */
  index(): void {
    this.#current = new Map()
    this.#publishedFrom = new Map()
    for (const [source, manifest] of this.#manifests) {
      for (const [file, versions] of manifest) {
        for (const version of versions) {
          const workflow = this.#versions.get(version)
          if (workflow !== undefined) this.#current.set(workflow.name, workflow)
          this.#publishedFrom.set(version, { source, file })
        }
      }
    }
    this.#scheduled = this.listCurrent().flatMap(({ name, schedules }) => (schedules.length > 0 ? [name] : []))
    this.#starts = new Map()
    for (const workflow of this.listCurrent()) {
      for (const trigger of workflow.start) push(this.#starts, trigger.topic, { workflow, trigger })
    }
    this.#formats = readingFormats(this.#versions.values())
    this.#listeners = new Map()
    for (const [topic, groups] of listenerGroups(this.#versions.values())) this.#listeners.set(topic, groups)
  }
}

const onlyDefault: readonly TopicFormat[] = [defaultFormat]

/** By what formats each topic is read. D1 */
function readingFormats(workflows: Iterable<Workflow>): Map<string, readonly TopicFormat[]> {
  const byTopic = new Map<string, Set<TopicFormat>>()
  for (const workflow of workflows) {
    for (const topic of topicsRead(workflow)) {
      const formats = byTopic.get(topic) ?? new Set()
      byTopic.set(topic, formats.add(formatOf(workflow, topic)))
    }
  }
  return new Map([...byTopic].map(([topic, formats]) => [topic, [...formats]]))
}

function* topicsRead({ start, tasks }: Workflow): Generator<string> {
  for (const { topic } of start) yield topic
  for (const task of tasks) if (task.type === 'kafka-listener') yield task.topic
}

interface Collected {
  readonly routes: Map<string, Route>
  keepMs: number
  onExpired: ListenerGroup['onExpired']
}

/** What comes while a listener with `until` is on its way back from the record before is kept for it. */
const betweenRecordsMs = 60_000

function listenerGroups(workflows: Iterable<Workflow>): Map<string, ListenerGroup[]> {
  const byTopic = new Map<string, Map<string, Collected>>()
  for (const workflow of workflows) {
    for (const task of workflow.tasks) {
      if (task.type !== 'kafka-listener') continue
      const route = task.correlate[0]?.message
      if (route === undefined) continue
      const groups = byTopic.get(task.topic) ?? new Map<string, Collected>()
      byTopic.set(task.topic, groups)
      const group = groups.get(workflow.name) ?? { routes: new Map(), keepMs: 0, onExpired: 'drop' }
      groups.set(workflow.name, group)
      const format = formatOf(workflow, task.topic)
      group.routes.set(`${format.value} ${format.key} ${route.source}`, { expression: route, format })
      group.keepMs = Math.max(group.keepMs, task.keepMs, task.until === undefined ? 0 : betweenRecordsMs)
      if (task.onExpired === 'dead-letter') group.onExpired = 'dead-letter'
    }
  }
  const listed = new Map<string, ListenerGroup[]>()
  for (const [topic, groups] of byTopic) {
    listed.set(
      topic,
      [...groups].map(([workflow, { routes, ...rest }]) => ({ workflow, routes: [...routes.values()], ...rest })),
    )
  }
  return listed
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
