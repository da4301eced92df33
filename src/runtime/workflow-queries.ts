// What is asked about workflows: their versions, where they come from, and how many instances are on each.
//
// Instances are counted when that is asked, on the partitions that run here, the newest of each first and up to a bound:
// what was looked at is told with the counts. Who asks while a count is under way is given that one.
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'
import type { Workflow } from '../definition/workflow.ts'
import { decodeInstanceHead } from '../records/instance-codec.ts'
import type { PublishedVersion, WorkflowCatalogue } from './catalogue.ts'
import type {
  Counted,
  InstanceCount,
  WorkflowAnswer,
  WorkflowsFace,
  WorkflowSummary,
  WorkflowVersions,
  WorkflowVersionView,
  WorkflowView,
} from './faces/workflow-face.ts'
import { instancePages } from './instance-pages.ts'
import type { Reading } from './reading.ts'

/** What is asked of a host: its partition, where that runs here. */
interface CountedHost {
  readonly running: { readonly reading: Pick<Reading, 'list' | 'read'> } | undefined
}

export class WorkflowQueries implements WorkflowsFace {
  readonly #hosts: readonly CountedHost[]
  readonly #catalogue: WorkflowCatalogue
  #counting: Promise<InstanceCounts> | undefined

  constructor(hosts: readonly CountedHost[], catalogue: WorkflowCatalogue) {
    this.#hosts = hosts
    this.#catalogue = catalogue
  }

  /** Every workflow by name. */
  async list(): ReturnType<WorkflowsFace['list']> {
    const counts = await this.#count()
    const byName = Map.groupBy(this.#catalogue.listVersions(), ({ workflow }) => workflow.name)
    const items = [...byName].map(([, versions]): WorkflowSummary => ({
      ...versionView(shownOf(versions), counts),
      versions: versions.length,
      instancesInAll: versions.map(({ workflow }) => counts.on(workflow.version)).reduce(sum),
    }))
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)), counted: counts.counted }
  }

  /** One version; undefined: there is none. */
  async find(name: string, version?: string): Promise<WorkflowAnswer | undefined> {
    const versions = this.#versionsOf(name)
    const found = version === undefined ? versions[0] && shownOf(versions) : named(versions, version)
    if (found === undefined) return undefined
    const counts = await this.#count()
    const definition: Json = JSON.parse(found.workflow.source) as Json
    return { workflow: { ...versionView(found, counts), definition }, counted: counts.counted }
  }

  /** The versions of a workflow; undefined: there is no such workflow. */
  async versions(name: string): Promise<WorkflowVersions | undefined> {
    const versions = this.#versionsOf(name)
    if (versions.length === 0) return undefined
    const counts = await this.#count()
    const items = versions.slice(0, limits.versionsListedMax).map((version) => versionView(version, counts))
    return { items, total: versions.length, counted: counts.counted }
  }

  #versionsOf(name: string): readonly PublishedVersion[] {
    return this.#catalogue.listVersions().filter(({ workflow }) => workflow.name === name)
  }

  #count(): Promise<InstanceCounts> {
    this.#counting ??= countInstances(this.#hosts).finally(() => (this.#counting = undefined))
    return this.#counting
  }
}

/** A workflow as it stands in lists. */
export function workflowView({ name, version, label, description, start }: Workflow): WorkflowView {
  return {
    name,
    version,
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
    startTopics: start.map(({ topic }) => topic),
  }
}

function versionView(published: PublishedVersion, counts: InstanceCounts): WorkflowVersionView {
  const { workflow, isCurrent, publishedAtMs, publishedFrom } = published
  return {
    ...workflowView(workflow),
    isCurrent,
    publishedAt: new Date(publishedAtMs).toISOString(),
    ...(publishedFrom === undefined ? {} : { publishedFrom }),
    instances: counts.on(workflow.version),
  }
}

/** The current one, or the latest. */
function shownOf(versions: readonly PublishedVersion[]): PublishedVersion {
  return versions.find(({ isCurrent }) => isCurrent) ?? versions[0]!
}

/** By the whole version, its address alone, or a label: of several with one label the latest. */
function named(versions: readonly PublishedVersion[], asked: string): PublishedVersion | undefined {
  const isAddress = ({ workflow: { name, version } }: PublishedVersion): boolean =>
    version === asked || version === `${name}@${asked}`
  return versions.find(isAddress) ?? versions.find(({ workflow }) => workflow.label === asked)
}

const none: InstanceCount = { open: 0, kept: 0 }

function sum(a: InstanceCount, b: InstanceCount): InstanceCount {
  return { open: a.open + b.open, kept: a.kept + b.kept }
}

interface InstanceCounts {
  on(version: string): InstanceCount
  readonly counted: Counted
}

async function countInstances(hosts: readonly CountedHost[]): Promise<InstanceCounts> {
  const byVersion = new Map<string, InstanceCount>()
  const running = hosts.flatMap((host) => host.running?.reading ?? [])
  let instances = 0
  let isCut = false
  for (const reading of running) {
    for await (const heads of instancePages(reading, decodeInstanceHead)) {
      for (const { version, hasEnded } of heads) {
        isCut = instances === limits.instancesCountedMax
        if (isCut) break
        instances += 1
        byVersion.set(version, sum(byVersion.get(version) ?? none, { open: hasEnded ? 0 : 1, kept: 1 }))
      }
      if (isCut) break
    }
    if (isCut) break
  }
  return {
    on: (version) => byVersion.get(version) ?? none,
    counted: {
      isComplete: !isCut && running.length === hosts.length,
      instances,
      partitions: running.length,
      partitionsInAll: hosts.length,
    },
  }
}
