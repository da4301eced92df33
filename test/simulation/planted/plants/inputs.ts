// Mistakes in reading what a partition is there to read: positions, new partitions, what is set aside.
import type { Plant } from '../plant.ts'

const sources = 'src/runtime/sources.ts'

export const inputPlants: readonly Plant[] = [
  {
    name: 'position-overlaps',
    trap: 'I6: the position is that of the last record, not of the next: a partition that moves reads it again',
    file: sources,
    find: 'if (records.length > 0) source.offset = source.reader.position',
    replace: 'if (records.length > 0) source.offset = records.at(-1)?.offset ?? source.reader.position',
  },
  {
    name: 'inbox-position-not-staged',
    trap: 'I6: the position in the inbox is not part of the batch',
    file: 'src/runtime/batch.ts',
    find: 'if (input.from !== undefined) {',
    replace: 'if (input.from !== undefined && (input.from.source.isNew || !input.from.source.isInbox)) {',
  },
  {
    name: 'grown-topic-unread',
    trap: 'Zeebe: the configured instead of the actual partition count: partitions that came later are never read',
    file: sources,
    find: 's < topic.info.partitions; s += partitions',
    replace: 's < (topic.registration?.ends.length ?? topic.info.partitions); s += partitions',
  },
  {
    name: 'source-of-another-creation',
    trap: 'Q2: a source topic that was made anew is read from the position in the old one',
    file: sources,
    find: 'if (position.topicId === info.id) source',
    replace: 'if (position.topicId === info.id || registration !== undefined) source',
  },
  {
    name: 'dead-letter-twice',
    trap: 'R1, I14: a start that fails sets its record aside by itself, and with all the reasons once more',
    file: 'src/engine/deciders/record.ts',
    find: 'if (failure !== undefined) startFailures.push(failure)',
    replace: `if (failure === undefined) continue
    startFailures.push(failure)
    deadLetter(record, [failure], out)`,
  },
  {
    name: 'refused-for-ever',
    trap: 'A command that the broker refuses for ever is tried for ever, and stands before all that comes after it',
    file: 'src/runtime/refusals.ts',
    find: "if (outgoing?.type !== 'command') return",
    replace: "if (outgoing?.type !== 'command' || ofTopics.has(error.reason)) return",
  },
]
