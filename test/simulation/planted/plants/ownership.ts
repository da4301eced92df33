// Mistakes about who owns a partition: fencing, and what is done about a fault.
import type { Plant } from '../plant.ts'

const host = 'src/runtime/host.ts'
const faults = 'src/runtime/faults.ts'

export const ownershipPlants: readonly Plant[] = [
  {
    name: 'producer-after-restore',
    trap: 'P1: the state is read before the predecessors are fenced, and they commit once more',
    file: 'src/runtime/partition.ts',
    find: `    this.#producer = await log.openProducer(\`\${app}-\${partition}\`) // P1
    this.#changelogId = await restore({
      log,
      store,
      clock,
      topic: topics.changelog,
      partition,
      isCancelled: () => this.#isClosed(),
      onProgress: (progress) => (this.restoring = progress),
    })
`,
    replace: `    this.#changelogId = await restore({
      log,
      store,
      clock,
      topic: topics.changelog,
      partition,
      isCancelled: () => this.#isClosed(),
      onProgress: (progress) => (this.restoring = progress),
    })
    this.#producer = await log.openProducer(\`\${app}-\${partition}\`)
`,
  },
  {
    name: 'zombie-reopens',
    trap: 'A zombie that was fenced opens its producer again without asking the group, and fences the rightful owner',
    file: faults,
    find: "case 'outcome-unknown':\n    case 'fenced':\n      return 'confirm'",
    replace: "case 'outcome-unknown':\n    case 'fenced':\n      return 'reopen'",
  },
  {
    name: 'fenced-stops',
    trap: 'KAFKA-9231, KAFKA-19690: a stall past the transaction timeout stops the partition for good',
    file: faults,
    find: "case 'outcome-unknown':\n    case 'fenced':\n      return 'confirm'",
    replace: "case 'outcome-unknown':\n      return 'confirm'\n    case 'fenced':\n      return 'stop'",
  },
  {
    name: 'confirmed-once',
    trap: 'Our own: a partition is let go for ever after one `confirms` without an answer',
    file: host,
    find: "while (this.#wanted === 'owner' && !(await membership.confirms(partition).catch(() => false)))\n          await this.#wait()",
    replace: "if (!(await membership.confirms(partition).catch(() => false))) this.#wanted = 'none'",
  },
]
