// Handlers of a simulated worker: they take a while, fail, hang or answer, drawn from the seed, and keep a journal that
// survives every crash, as the services behind real handlers do.
import type { HandlerModule, HandlerSource } from '../../src/handlers/contract.ts'
import type { Clock } from '../../src/runtime/ports.ts'
import type { Random } from './random.ts'

export interface Run {
  readonly instanceId: string
  readonly task: string
  readonly attempt: number
  readonly idempotencyKey: string
  outcome: 'running' | 'returned' | 'threw' | 'aborted'
}

/** What handlers did in the world, whoever ran them. */
export type Journal = Run[]

export function simulatedHandlers(clock: Clock, random: Random, journal: Journal): HandlerSource {
  const examine: HandlerModule = {
    name: 'examine',
    run: (task) =>
      new Promise((resolve, reject) => {
        const { attempt, idempotencyKey, name, instance, signal } = task
        const run: Run = { instanceId: instance.id, task: name, attempt, idempotencyKey, outcome: 'running' }
        journal.push(run)
        const way = random.pick(['return', 'return', 'return', 'throw', 'hang', 'terminal'] as const)
        signal.addEventListener('abort', () => {
          if (run.outcome === 'running') run.outcome = 'aborted'
          reject(new Error('aborted'))
        })
        if (way === 'hang') return
        clock.after(random.int(4_000), () => {
          if (run.outcome !== 'running') return
          run.outcome = way === 'return' ? 'returned' : 'threw'
          if (way === 'return') resolve({ by: attempt })
          else reject(Object.assign(new Error(way), { code: way, retryable: way !== 'terminal' }))
        })
      }),
  }
  return { find: (name) => (name === 'examine' ? examine : undefined), names: ['examine'] }
}
