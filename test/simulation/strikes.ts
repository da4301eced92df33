// What befalls machines, the group and the broker at certain steps of a run; what befalls single requests is the
// network's (faults.ts, wire.ts).
import type { Random } from './random.ts'
import type { World } from './world.ts'

export type Strike = {
  readonly atStep: number
  readonly machine: string
  /** Starts the dead again right after it. */ readonly restarts: boolean
} & (
  | { readonly what: 'crash' | 'pause' | 'resume' | 'expel' }
  | { readonly what: 'power'; readonly loseBatches: number }
  | { readonly what: 'clock'; readonly byMs: number }
)

export function drawStrikes(of: { machines: number; topics: readonly string[] }, random: Random): readonly Strike[] {
  const strikes: Strike[] = []
  let atStep = 0
  for (let number = 0; number < 6; number++) {
    atStep += 20 + random.int(400)
    const machine = `w${1 + random.int(of.machines)}`
    const base = { atStep, machine, restarts: random.chance(0.7) }
    const what = random.pick(['crash', 'crash', 'power', 'pause', 'resume', 'expel', 'clock'] as const)
    if (what === 'power') strikes.push({ ...base, what, loseBatches: random.int(6) })
    else if (what === 'clock') strikes.push({ ...base, what, byMs: random.pick([-3_600_000, -1_000, 1_000, 10_000]) })
    else strikes.push({ ...base, what })
  }
  return strikes
}

export function strike(world: World, one: Strike): void {
  switch (one.what) {
    case 'power':
      return world.crash(one.machine, { loseBatches: one.loseBatches })
    case 'clock':
      return world.jumpClock(one.machine, one.byMs)
    default:
      return world[one.what](one.machine)
  }
}
