// What the application of a simulated run consists of: its workflows, in one release or two, the topics around them, and
// the ways in that customers know.
import type { Random } from './random.ts'
import { refusingTopic } from './programs/task-types.ts'
import { drawChild, drawWorkflow, type Entrance } from './programs/workflow.ts'
import { fixedWorkflows } from './workflows.ts'

export interface Programs {
  /** The documents (YAML, or JSON where they were drawn) of each release, the oldest first; published as a whole. */
  readonly releases: readonly (readonly string[])[]
  /** Partitions of each topic of the application's surroundings, by name. */
  readonly topics: { readonly [name: string]: number }
  /** Of these, the topics that services read commands from (outside.ts). */
  readonly commandTopics: readonly string[]
  /** Topics that take no record larger than this. */
  readonly recordBytesMax: { readonly [topic: string]: number }
  /** The ways in of each release. */
  readonly entrances: readonly (readonly Entrance[])[]
}

/** Fewer partitions than the application has, more, and as many. */
const sourceTopics = {
  orders: 3,
  reminders: 4,
  fragiles: 1,
  arrivals: 3,
  requests: 2,
  'payment-events': 5,
  'shipping-events': 3,
  answers: 4,
}
const commandTopics = { 'payment-commands': 2, 'shipping-commands': 4, [refusingTopic]: 1 }

export interface ProgramsOptions {
  /** Random workflows only, and few. */
  readonly isSmall?: boolean
}

export function drawPrograms(random: Random, { isSmall = false }: ProgramsOptions = {}): Programs {
  const releases = drawReleases(random, isSmall)
  const texts = releases.map((workflows) => workflows.map(({ text }) => text))
  const read = Object.entries(sourceTopics).filter(([topic]) => texts.some((release) => isRead(topic, release)))
  return {
    releases: texts,
    topics: { ...Object.fromEntries(read), ...commandTopics },
    commandTopics: Object.keys(commandTopics),
    recordBytesMax: { [refusingTopic]: 16 },
    entrances: releases.map((workflows) => workflows.flatMap(({ entrances }) => entrances)),
  }
}

/** True where a workflow of the release begins with the topic or listens to it. */
export const isRead = (topic: string, release: readonly string[]): boolean =>
  release.some((text) => new RegExp(`\\btopic"?: "?${topic}\\b`).test(text))

/** A workflow of a release. */
interface Drawn {
  readonly text: string
  readonly entrances: readonly Entrance[]
}

function drawReleases(random: Random, isSmall: boolean): readonly (readonly Drawn[])[] {
  return drawWithoutChildren(random, isSmall).map((release, number) => {
    if (!release.some(({ text }) => text.includes('"type": "workflow"'))) return release
    const edition = number > 0 && random.chance(0.5) ? 2 : 1
    const child = drawChild(childName, random.stream(childName), edition)
    return [...release, { text: JSON.stringify(child, undefined, 1), entrances: [] }]
  })
}

/** What the others start. */
const childName = 'errand'

function drawWithoutChildren(random: Random, isSmall: boolean): readonly (readonly Drawn[])[] {
  if (isSmall) return [[drawRandom(1, random, { tasksMax: 6 })]]
  const fixed = fixedWorkflows.filter(() => random.chance(0.5))
  const drawn = Array.from({ length: random.pick([1, 1, 2]) }, (_, number) => drawRandom(number + 1, random))
  const first = [...fixed, ...drawn]
  if (random.chance(0.6)) return [first]
  // The next release removes a workflow, has another edition of one, and brings one that was not there.
  const removed = first.length > 1 && random.chance(0.4) ? random.pick(first) : undefined
  const edited = random.chance(0.8) ? drawRandom(1, random, { edition: 2 }) : drawn[0]!
  const second = first.flatMap((each) => (each === removed ? [] : each === drawn[0] ? [edited] : [each]))
  return [first, random.chance(0.4) ? [...second, drawRandom(drawn.length + 1, random)] : second]
}

function drawRandom(number: number, random: Random, { edition = 1, tasksMax = 10 } = {}): Drawn {
  const name = `random-${number}`
  const { document, entrances } = drawWorkflow(name, random.stream(name), {
    edition,
    ownTopic: number === 1 ? 'requests' : undefined,
    tasksMax,
    children: [childName],
  })
  return { text: JSON.stringify(document, undefined, 1), entrances }
}
