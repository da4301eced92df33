// Tasks with no tasks in them, which run beside a scope: when a deadline has passed, or to undo what was done.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'
import { bound, maybe, type Keys } from './bounds.ts'
import { signalNames, type Draft } from './draft.ts'

export function drawLeaf(draft: Draft, name: string): Keys & { readonly name: string } {
  const { random } = draft
  const common = {
    ...maybe(random, 0.6, 'onFailure', random.pick(['skip', 'skip', 'fail', 'incident'])),
    ...bound(random),
  }
  return { name, ...random.pick(leaves)(draft, name), ...common }
}

const leaves: readonly ((draft: Draft, name: string) => Keys)[] = [
  commandOf,
  commandOf,
  commandOf,
  () => ({ type: 'set', set: { count: '${ vars.count + 1 }' } }),
  () => ({ type: 'trigger', delay: '1s' }),
  ({ random }) => ({ type: 'examine', timeout: '2s', retry: drawHandlerRetry(random) }),
  ({ random }) => ({ ...drawRequest(random), timeout: '2s', retry: drawHandlerRetry(random) }),
  ({ random }) => ({ type: 'signal', signal: random.pick(signalNames), timeout: '5s' }),
]

/** Of an `http` task: mostly one that can be sent. */
export const drawRequest = (random: Random): Keys & { readonly type: string } => ({
  type: 'http',
  url: random.pick([
    'https://carrier.example/parcels/${ input.number }',
    'http://stock.example/?size=${ input.size }',
    'nowhere',
  ]),
  ...maybe(
    random,
    0.4,
    'body',
    random.pick<Json>([{ size: '${ input.size }' }, '${ input.about }', '${ input.missing }']),
  ),
})

function commandOf(draft: Draft, name: string): Keys {
  const topic = draft.random.pick(['payment-commands', 'shipping-commands'])
  return { type: 'kafka-command', topic, value: draft.commandOf(name) }
}

/** A handler's own policy goes on for minutes. */
export const drawHandlerRetry = (random: Random): Keys =>
  random.pick<Keys>([
    { maxAttempts: 1 },
    { maxAttempts: 3, initialInterval: '500ms' },
    { maxAttempts: 3, initialInterval: '1s', backoffCoefficient: 3, maxInterval: '2s', jitter: 0 },
    { maxAttempts: 0, initialInterval: '1s', maxElapsed: '10s', jitter: 1 },
    { maxAttempts: 4, initialInterval: '250ms', nonRetryable: ['throw', 'timeout'] },
  ])
