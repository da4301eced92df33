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
      onProgress: (left) => (this.restoreLeft = left),
    })
`,
    replace: `    this.#changelogId = await restore({
      log,
      store,
      clock,
      topic: topics.changelog,
      partition,
      isCancelled: () => this.#isClosed(),
      onProgress: (left) => (this.restoreLeft = left),
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
  {
    name: 'slots-of-a-standby',
    trap: 'Our own: an owner that becomes a standby keeps the handler slots of the partition',
    file: host,
    find: "if (this.#wanted !== 'owner') this.#letGo()",
    replace: "if (this.#wanted === 'none') this.#letGo()",
  },
  {
    name: 'transaction-left-open',
    trap: 'Our own: a publication that has nothing to publish leaves open what its predecessor died in',
    file: 'src/runtime/definitions.ts',
    find: `    const producer = await log.openProducer(\`\${topics.definitions}-\${source}\`)
    try {
      await this.catchUp()
      const records = [...(await this.#unknown(workflows)), ...this.#changedManifest(source, files)]
      if (records.length > 0) await producer.transact(records)`,
    replace: `    await this.catchUp()
    const records = [...(await this.#unknown(workflows)), ...this.#changedManifest(source, files)]
    if (records.length === 0) return
    const producer = await log.openProducer(\`\${topics.definitions}-\${source}\`)
    try {
      await producer.transact(records)`,
  },
]
