// I14: a record that nobody can use is in the dead-letter topic once, and its partition goes on.
import type { Workflow } from '../../../src/definition/workflow.ts'
import { doubledPlaces } from './fates.ts'
import type { Evidence } from './finished.ts'

/** I14: each record that was meant as poison has one letter. */
export function* poisonSetAside({ committed, outside, releases, sources, world }: Evidence): Generator<string> {
  const seen = new Set(sources.map(({ coordinates, record }) => `${coordinates} ${record.timestampMs}`))
  const gone = new Set(sources.flatMap(({ mayBeGone, coordinates }) => (mayBeGone ? [coordinates] : [])))
  const letters = new Map<string, number>()
  for (const { source } of committed.letters) letters.set(source, (letters.get(source) ?? 0) + 1)
  const doubled = doubledPlaces(sources)
  const read = new Set(
    committed.changelogs.flatMap((changelog) => [...changelog.positions()].map(({ topic }) => topic)),
  )
  // A release may be replaced before it was ever published: what it alone reads is read by nobody.
  const isRead = (topic: string): boolean => read.has(topic) || releases.every((release) => readsOf(release).has(topic))
  for (const { topic, partition, offset, atMs, intent, isCommitted } of outside.produced) {
    const place = `${topic}/${partition}@${offset}`
    if (intent !== 'poison' || !isCommitted || gone.has(place) || doubled.has(place)) continue
    if (!isRead(topic)) continue
    // Deleted behind a transaction that was still open: nobody could read it.
    const wasNeverSeen =
      !seen.has(`${place} ${atMs}`) &&
      world.cluster.losses.some(
        (loss) => loss.topic === topic && loss.partition === partition && offset < loss.before && loss.atMs >= atMs,
      )
    if (!wasNeverSeen && letters.get(place) !== 1)
      yield `I14: the poisoned record ${place} has ${letters.get(place) ?? 0} dead letters`
  }
}

function readsOf(release: readonly Workflow[]): ReadonlySet<string> {
  return new Set(
    release.flatMap(({ start, tasks }) => [
      ...start.map(({ topic }) => topic),
      ...tasks.flatMap((task) => (task.type === 'kafka-listener' ? [task.topic] : [])),
    ]),
  )
}

/** I14: what cannot be read has one letter, for that reason; what can be used has none, but where a start was refused. */
export function* lettersHaveReasons({ committed, sources }: Evidence): Generator<string> {
  const letters = new Map<string, string[]>()
  for (const { source, code } of committed.letters) letters.set(source, [...(letters.get(source) ?? []), code])
  const doubled = doubledPlaces(sources)
  for (const { coordinates, taken, uses, mayBeGone } of sources) {
    if (doubled.has(coordinates)) continue
    const codes = letters.get(coordinates) ?? []
    if (taken === undefined && codes.length > 0) yield `I14: ${coordinates} is a dead letter, and was never taken`
    if (taken === undefined || mayBeGone) continue
    if (uses.unusable !== undefined && (codes.length !== 1 || codes[0] !== uses.unusable))
      yield `I14: ${coordinates} has the dead letters ${codes.join(', ') || '(none)'}, expected ${uses.unusable}`
    if (uses.unusable !== undefined) continue
    // One letter for all that failed where it was read, and one for each start that was refused where its key lives.
    const mostly = uses.starts.length + (uses.failures.length > 0 ? 1 : 0)
    if (codes.length > mostly) yield `I14: ${coordinates} has ${codes.length} dead letters (${codes.join(', ')})`
    const mustFail =
      uses.failures.some(({ isStart, isCertain }) => isStart && isCertain) ||
      (uses.starts.length === 0 && uses.channels.length === 0 && uses.failures.some(({ isCertain }) => isCertain))
    if (mustFail && codes.length === 0) yield `I14: ${coordinates} can be used by nobody, and has no dead letter`
  }
}
