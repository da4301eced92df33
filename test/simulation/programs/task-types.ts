// How each task type is drawn. A type that the language learns is one entry here; programs.test.ts asks for it, because
// the schema names it. Whatever a task waits for comes or times out within seconds.
import type { Json } from '../../../src/base/json.ts'
import { maybe } from './bounds.ts'
import { common } from './common.ts'
import { signalNames, type Draft, type TaskDocument } from './draft.ts'
import { drawHandlerRetry, drawRequest } from './leaves.ts'
import type { TaskGenerator } from './generator.ts'
import { commandTopics, question, stranger } from './listening.ts'
import { structures } from './structures.ts'

/** Its records are too large for it, all of them. */
export const refusingTopic = 'tiny-commands'

export const taskGenerators: { readonly [type: string]: TaskGenerator } = {
  'kafka-command': {
    weight: 8,
    draw: (draft) => {
      const { random } = draft
      const name = draft.name('kafka-command')
      const isRefused = random.chance(0.15)
      const task = {
        name,
        type: 'kafka-command',
        topic: isRefused
          ? random.pick([refusingTopic, "${ 'missing-' + instance.workflow }"])
          : random.pick([...commandTopics, "${ input.size > 2 ? 'payment-commands' : 'shipping-commands' }"]),
        value: draft.commandOf(name),
        ...maybe(random, 0.3, 'key', random.pick(['${ input.id }', 7, '${ input.number }'])),
        ...maybe(random, 0.3, 'headers', { source: '${ instance.workflow }', size: '${ input.size }' }),
        ...maybe(random, 0.2, 'partition', random.pick([0, 1, '${ input.size % 2 }', 99])),
      }
      return [{ ...task, ...common(draft, name, { fails: isRefused }) }]
    },
  },
  'kafka-listener': {
    weight: 16,
    isWide: true,
    draw: (draft) => (draft.random.chance(0.65) ? [...question(draft)] : [stranger(draft)]),
  },
  ...structures,
  workflow: {
    weight: 4,
    draw: (draft) => {
      const { children, random } = draft
      if (children.length === 0) return [note(draft)]
      const name = draft.name('workflow')
      const child = random.pick(children)
      const task = {
        ...{ name, type: 'workflow', input: '${ input }' },
        workflow: random.pick([child, child, `\${ input.size > 4 ? 'nobody' : '${child}' }`]),
        // Two parents may want the same child.
        ...maybe(random, 0.3, 'key', random.pick(['${ input.about }', '${ input.number }'])),
        ...maybe(random, 0.3, 'wait', random.chance(0.3)),
        ...maybe(random, 0.4, 'timeout', random.pick(['2s', '10s', '30s'])),
      }
      return [{ ...task, ...common(draft, name, { fails: true }) }]
    },
  },
  signal: {
    weight: 4,
    draw: (draft) => {
      const { random } = draft
      const name = draft.name('signal')
      const task = {
        ...{ name, type: 'signal', timeout: random.pick(['2s', '8s', '20s']) },
        ...maybe(random, 0.6, 'signal', random.pick(signalNames)),
      }
      return [{ ...task, ...common(draft, name, { fails: true, set: { note: '${ output }' } }) }]
    },
  },
  http: {
    weight: 4,
    draw: (draft) => {
      const { random } = draft
      const name = draft.name('http')
      const task = {
        ...{ name, ...drawRequest(random), timeout: random.pick(['2s', '6s']) },
        ...maybe(random, 0.3, 'method', random.pick(['GET', 'POST', 'PUT'])),
        ...maybe(random, 0.3, 'headers', { 'x-workflow': '${ instance.workflow }' }),
      }
      return [{ ...task, ...common(draft, name, { fails: true }), retry: drawHandlerRetry(random) }]
    },
  },
  fail: {
    weight: 1,
    draw: (draft) => {
      const { random } = draft
      const task = {
        ...{ name: draft.name('fail'), type: 'fail' },
        ...maybe(random, 0.5, 'reason', random.pick(['It is enough.', '${ input.id }', '${ input.missing }'])),
        ...maybe(random, 0.5, 'code', random.pick(['enough', '${ instance.workflow }'])),
      }
      return [{ ...task, ...common(draft, task.name, { isEnd: true }) }]
    },
  },
  stop: {
    weight: 1,
    draw: (draft) => {
      const reason = draft.random.pick(['It is enough.', 'for ${ input.id }'])
      const task = { name: draft.name('stop'), type: 'stop', ...maybe(draft.random, 0.5, 'reason', reason) }
      return [{ ...task, ...common(draft, task.name, { isEnd: true }) }]
    },
  },
  set: {
    weight: 4,
    draw: (draft) => {
      const task = note(draft)
      return [{ ...task, ...common(draft, task.name, { hasSet: true }) }]
    },
  },
  trigger: {
    weight: 4,
    draw: (draft) => {
      const { random } = draft
      const when = random.pick([
        { delay: random.pick(['250ms', '2s', '5s', '${ input.grace }']) },
        { delay: 'PT1S' },
        { at: random.pick(["${ now + duration('2s') }", '2020-01-01T00:00:00Z']) },
      ])
      const name = draft.name('trigger')
      return [{ name, type: 'trigger', ...when, ...common(draft, name) }]
    },
  },
  examine: {
    weight: 12,
    draw: (draft) => {
      const { random } = draft
      const task = {
        name: draft.name('examine'),
        type: 'examine',
        timeout: random.pick(['2s', '4s', '6s']),
        ...maybe(random, 0.3, 'execution', random.pick(['thread', 'thread', 'main'])),
        ...maybe(
          random,
          0.7,
          'with',
          random.pick<Json>(['${ input.id }', { id: '${ input.id }', n: '${ vars.count }' }]),
        ),
      }
      return [{ ...task, ...common(draft, task.name), retry: drawHandlerRetry(random) }]
    },
  },
}

/** Writes a variable. */
export function note(draft: Draft): TaskDocument {
  const set = draft.random.pick([{ count: '${ vars.count + 1 }' }, { note: '${ instance.key }' }, { count: 0 }])
  return { name: draft.name('set'), type: 'set', set }
}
