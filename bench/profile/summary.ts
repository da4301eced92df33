// A CPU profile in numbers: the time of each stage, of each room, and of the functions that cost most. Times are self
// times in milliseconds, summed over samples; what belongs nowhere counts for its caller (places.ts).
import type { Profiler, Runtime } from 'node:inspector/promises'
import { roomOf, stageOf, type Stage } from './places.ts'

export interface FunctionCost {
  readonly name: string
  /** "src/engine/decide.ts:40", from the root of the repository; "in …" of what has no file there. */
  readonly place: string
  readonly selfMs: number
}

export interface ProfileSummary {
  readonly totalMs: number
  readonly byStage: ReadonlyMap<Stage, number>
  readonly byRoom: ReadonlyMap<string, number>
  /** The most expensive first, as many as were asked for. */
  readonly functions: readonly FunctionCost[]
}

/** Sums up a profile. */
export function summarise(profile: Profiler.Profile, functionsMax: number): ProfileSummary {
  const selfMs = selfTimes(profile)
  const byStage = new Map<Stage, number>()
  const byRoom = new Map<string, number>()
  const byFunction = new Map<string, FunctionCost>()
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))

  const walk = (id: number, callerStage: Stage, callerRoom: string, callerPlace: string): void => {
    const node = nodes.get(id)
    if (node === undefined) return
    const { callFrame: frame, children = [] } = node
    const stage = stageOf(frame) ?? callerStage
    const room = roomOf(frame) ?? callerRoom
    const ms = selfMs.get(id) ?? 0
    add(byStage, stage, ms)
    add(byRoom, room, ms)
    const name = frame.functionName === '' ? '(native)' : frame.functionName
    // What has no file of ours is told by who called it.
    const place = fileOf(frame) ?? (callerPlace === '' ? '' : `in ${callerPlace}`)
    const key = `${name} ${place}`
    byFunction.set(key, { name, place, selfMs: (byFunction.get(key)?.selfMs ?? 0) + ms })
    for (const child of children) walk(child, stage, room, fileOf(frame) === undefined ? callerPlace : place)
  }
  const [root] = profile.nodes
  if (root !== undefined) walk(root.id, 'native', '(program)', '')

  return {
    totalMs: (profile.endTime - profile.startTime) / 1_000,
    byStage,
    byRoom: new Map([...byRoom].sort((a, b) => b[1] - a[1])),
    functions: [...byFunction.values()].sort((a, b) => b.selfMs - a.selfMs).slice(0, functionsMax),
  }
}

/** "src/engine/decide.ts:40"; undefined: JavaScript's or Node's own. */
function fileOf({ url, lineNumber }: Runtime.CallFrame): string | undefined {
  const path = /\/((?:src|bench|node_modules)\/.*)$/.exec(url)?.[1]
  return path === undefined ? undefined : `${path}:${lineNumber + 1}`
}

/** By node. A sample stands for the time until the next one. */
function selfTimes({ samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyMap<number, number> {
  const times = new Map<number, number>()
  for (const [index, id] of samples.entries()) add(times, id, (timeDeltas[index + 1] ?? 0) / 1_000)
  return times
}

function add<Key>(sums: Map<Key, number>, key: Key, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by)
}
