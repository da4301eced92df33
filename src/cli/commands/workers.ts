// dagger-worker workers: who runs what, as the workers of an application tell each other.
import type { Command } from 'commander'
import type { PartitionPosition, WorkerRecord } from '../../runtime/face.ts'
import { createOutput, table } from '../output.ts'
import { clientFor, type ServerFlag, withServer } from '../remote.ts'
import type { Surroundings } from '../surroundings.ts'

export function addWorkers(program: Command, surroundings: Surroundings): void {
  withServer(program.command('workers'))
    .summary('who runs what')
    .description(
      'The workers of the application on Kafka that were heard of in the last half minute: where each is asked, which\n' +
        'partitions it runs, and of which it keeps a copy.',
    )
    .option('--json', 'as JSON, with the position of each partition in its changelog')
    .addHelpText('after', '\nExample:\n  dagger-worker workers')
    .action((flags: ServerFlag & { readonly json?: true }) => listWorkers(flags, surroundings))
}

async function listWorkers(flags: ServerFlag & { readonly json?: true }, surroundings: Surroundings): Promise<void> {
  const output = createOutput(surroundings)
  const workers = await clientFor(flags, surroundings).listWorkers()
  if (flags.json === true) return output.json(workers)
  if (workers.length === 0) return output.line('On the embedded log there is one worker: this one runs everything.')
  const head = ['WORKER', 'URL', 'RUNS', 'COPIES', 'SINCE', 'HEARD']
  for (const line of table([head, ...workers.map(rowOf)])) output.line(line)
}

const rowOf = ({ worker, url, owned, copies, startedAt, at }: WorkerRecord): string[] => [
  worker,
  url,
  rangesText(owned),
  rangesText(copies),
  startedAt,
  at,
]

/** "0-3, 7": the numbers of partitions, short; "none". */
function rangesText(positions: readonly PartitionPosition[]): string {
  const ranges: [number, number][] = []
  for (const { partition } of positions.toSorted((a, b) => a.partition - b.partition)) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === partition - 1) last[1] = partition
    else ranges.push([partition, partition])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ') || 'none'
}
