// Tasks that hold others, or choose between them.
import type { Json } from '../../../src/base/json.ts'
import type { Random } from '../random.ts'
import { maybe } from './bounds.ts'
import { common } from './common.ts'
import type { TaskGenerator } from './generator.ts'
import { drawLeaf } from './leaves.ts'

export const structures: { readonly [type: string]: TaskGenerator } = {
  decision: {
    weight: 8,
    isWide: true,
    draw: (draft, more) => {
      const { random } = draft
      const name = draft.name('decision')
      const branches = Array.from({ length: 1 + random.int(3) }, () => {
        const [first, ...others] = more.tasks()
        return [{ ...first!, dependsOn: [name] }, ...others]
      })
      const heads = branches.map(([head]) => head!.name)
      const some = (): string[] => heads.filter(() => random.chance(0.5))
      const cases = Array.from({ length: 1 + random.int(2) }, () => ({ when: draft.condition(), next: some() }))
      const task = { name, type: 'decision', cases, ...maybe(random, 0.8, 'default', some()) }
      const mode = maybe(random, 0.3, 'mode', random.pick(['all', 'all', 'first']))
      return [{ ...task, ...mode, ...common(draft, name) }, ...branches.flat()]
    },
  },
  process: {
    weight: 8,
    isWide: true,
    draw: (draft, more) => {
      const name = draft.name('process')
      return [{ name, type: 'process', tasks: more.scope(), ...common(draft, name, { fails: true }) }]
    },
  },
  parallel: {
    weight: 4,
    isWide: true,
    draw: (draft, more) => {
      const { random } = draft
      const name = draft.name('parallel')
      const branches = Array.from({ length: 2 + random.int(2) }, () => more.scope())
      const task = { name, type: 'parallel', branches, ...maybe(random, 0.6, 'join', drawJoin(random)) }
      return [{ ...task, ...common(draft, name, { fails: true }) }]
    },
  },
  'for-each': {
    weight: 5,
    isWide: true,
    draw: (draft, more) => {
      const { random } = draft
      const name = draft.name('for-each')
      const items = random.pick<Json>(draft.isInItem ? itemsInItem : itemsOutside)
      const tasks = draft.inItem(() => more.scope())
      const task = {
        ...{ name, type: 'for-each', items, tasks },
        ...maybe(random, 0.6, 'concurrency', random.pick([1, 2, 3])),
        ...maybe(random, 0.4, 'join', drawJoin(random)),
        ...maybe(random, 0.5, 'onItemFailure', random.pick(['continue', 'continue', 'fail'])),
        ...maybe(random, 0.3, 'output', random.pick<Json>(['${ item }', { at: '${ index }' }, '${ input.missing }'])),
      }
      return [{ ...task, ...common(draft, name, { fails: true }) }]
    },
  },
  interval: {
    weight: 4,
    draw: (draft) => {
      const { random } = draft
      const name = draft.name('interval')
      const run = drawLeaf(draft, draft.name('run'))
      const until = random.pick([`tasks.${run.name}.status == 'COMPLETED'`, 'vars.count > 1', 'true', 'false'])
      const task = {
        ...{ name, type: 'interval', every: random.pick(['250ms', '1s', '3s']), run, until },
        // Whatever may never become true has an end.
        ...maybe(random, until === 'true' ? 0.3 : 1, 'deadline', random.pick(['1s', '4s', '9s'])),
        ...maybe(random, 0.7, 'onDeadline', random.pick(['complete', 'fail', 'skip'])),
      }
      return [{ ...task, ...common(draft, name, { fails: true }) }]
    },
  },
}

const drawJoin = (random: Random): string | number => random.pick(['all', 'first', 'any', 1, 2])

/** Items are texts, each of which an instance has once: commands name them. */
const itemsOutside: readonly Json[] = [
  ['a', 'b', 'c'],
  "${ ['a', 'b', 'c', 'd', 'e'] }",
  "${ input.size > 2 ? ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] : ['a'] }",
  '${ [] }',
]
const itemsInItem: readonly Json[] = ["${ [item + 'x', item + 'y'] }", "${ index == 0 ? [item + 'z'] : [] }"]
