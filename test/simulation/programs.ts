// What the application of a simulated run consists of: its workflows, in one release or two, and the topics around them.
import type { Random } from './random.ts'
import { simulatedWorkflows } from './workflows.ts'

export interface Programs {
  /** The YAML documents of each release, the oldest first; a release is published as a whole. */
  readonly releases: readonly (readonly string[])[]
  /** Partitions of each topic of the application's surroundings, by name. */
  readonly topics: { readonly [name: string]: number }
  /** Of these, the topics that services read commands from (outside.ts). */
  readonly commandTopics: readonly string[]
}

/** Fewer partitions than the application has, more, and as many. */
const topics = {
  orders: 3,
  reminders: 4,
  fragiles: 1,
  'payment-commands': 2,
  'payment-events': 5,
  'shipping-commands': 4,
  'shipping-events': 3,
  answers: 4,
}

export function drawPrograms(_random: Random): Programs {
  return {
    releases: [simulatedWorkflows.split('\n---\n')],
    topics,
    commandTopics: ['payment-commands', 'shipping-commands'],
  }
}
