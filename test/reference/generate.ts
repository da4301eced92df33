// Random workflows, and what happens to them: a seed gives the same ones every time. Times are drawn from so wide a
// range that no two things happen at once, but for what follows from one another.
import { createRandom, type Random } from '../simulation/random.ts'
import {
  childDelayMs,
  type Program,
  type RuleDoc,
  type Script,
  type TaskDoc,
  type Value,
  type WorkflowDoc,
} from './language.ts'
import { codes, drawCondition, drawMs, drawTask, never, once, type Drawing } from './generate-task.ts'

export function generate(seed: number): Program {
  const random = createRandom(`reference/${seed}`)
  const drawing: Drawing = { random, names: { count: 0 }, depth: 2, isRacing: false, isTied: false, list: drawTasks }
  const tasks = drawTasks(drawing, 2 + random.int(6))
  const doc: WorkflowDoc = { workflow: 'w', vars: { x: 0, y: 1 }, retention: '365d', tasks }
  if (random.chance(0.5)) {
    const { name } = random.pick(tasks)
    doc.output = { x: '${ vars.x }', list: ['${ vars.y }', `\${ tasks.${name}.status }`] }
  }
  if (random.chance(0.1)) doc.maxDuration = `${3 * drawMs(random)}ms`
  const list = Array.from({ length: random.pick([0, 1, 2, 3, 3, 4]) }, () => random.int(9))
  const text = JSON.stringify(tasks)
  const others = children.filter(({ workflow }) => text.includes(`"workflow":"${workflow}"`))
  return {
    doc,
    input: { n: random.int(6), list, none: [] },
    script: drawScript(seed, random, namesOf(tasks, 'interval')),
    others,
  }
}

const child = (workflow: string, task: Omit<TaskDoc, 'name'>, output: Value): WorkflowDoc => {
  const before = task.type === 'h' ? [] : [{ name: 'pause', type: 'trigger', delay: `${childDelayMs}ms` }]
  return { workflow, vars: {}, retention: '365d', tasks: [...before, { name: 'work', ...task }], output }
}
const children = [
  child('works', { type: 'h', timeout: never, retry: once, onFailure: 'fail' }, '${ tasks.work.output }'),
  child('stops', { type: 'stop' }, 1),
  child('fails', { type: 'fail' }, 1),
]

const namesOf = (tasks: readonly TaskDoc[], type: string): string[] =>
  tasks.flatMap((task) => [
    ...(task.type === type ? [task.name] : []),
    ...[task.tasks ?? [], ...(task.branches ?? [])].flatMap((inner) => namesOf(inner, type)),
  ])

function drawScript(seed: number, random: Random, intervals: readonly string[]): Script {
  const arrivals = Array.from({ length: random.int(9) }, (_, index) => ({
    atMs: random.chance(0.5) ? drawMs(random) : 3 * drawMs(random) + index,
    kind: random.pick(['record', 'signal'] as const),
    name: random.pick(['one', 'two']),
    value: { v: random.int(6) },
  }))
  return {
    run(task, nth) {
      const drawn = createRandom(`reference/${seed}/${task}/${nth}`)
      const ms = drawMs(drawn)
      return drawn.chance(0.4) ? { ms, code: drawn.pick(codes) } : { ms, output: { v: drawn.int(6) } }
    },
    arrivals,
    act(task, nth) {
      const drawn = createRandom(`reference/${seed}/${task}/incident ${nth}`)
      if (!drawn.chance(0.5)) return undefined
      // What a retried interval does is in test/engine/deadlines.test.ts.
      const isInterval = intervals.includes(task.slice(task.lastIndexOf('.') + 1))
      const kind = drawn.pick(isInterval ? (['skip', 'complete'] as const) : (['retry', 'skip', 'complete'] as const))
      return { ms: drawMs(drawn), kind, output: { v: drawn.int(6) } }
    },
  }
}

function drawTasks(drawing: Drawing, length: number): TaskDoc[] {
  const { random } = drawing
  const tasks = Array.from({ length }, () => drawTask(drawing))
  tasks.forEach((task, index) => {
    const draw = random.next()
    if (draw < 0.45) return
    const before = tasks.slice(0, index).map(({ name }) => name)
    task.dependsOn = draw < 0.6 ? [] : before.filter(() => random.chance(0.4)).slice(0, 3)
  })
  for (const task of tasks) {
    const [source] = task.dependsOn ?? []
    if (task.type !== 'kafka-command' || source === undefined) continue
    task.value = {
      of: task.name,
      x: '${ vars.x }',
      after: `\${ tasks.${source}.${random.chance(0.9) ? 'status' : 'output'} }`,
    }
  }
  tasks.forEach((task, index) => {
    drawChoices(drawing, task, tasks, index)
    drawRules(drawing, task, tasks, index)
  })
  return tasks
}

/** Names of the tasks after this one that depend on it. */
const dependentsOf = (tasks: readonly TaskDoc[], index: number): string[] =>
  tasks
    .filter((task, at) =>
      task.dependsOn === undefined ? at === index + 1 : task.dependsOn.includes(tasks[index]!.name),
    )
    .map(({ name }) => name)

/** Some later tasks come to depend on this one. */
function attach(drawing: Drawing, tasks: readonly TaskDoc[], index: number): string[] {
  for (const task of tasks.slice(index + 1)) {
    if (task.dependsOn !== undefined && drawing.random.chance(0.4))
      task.dependsOn = [...new Set([...task.dependsOn, tasks[index]!.name])]
  }
  return dependentsOf(tasks, index)
}

const some = (random: Random, list: readonly string[]): string[] => list.filter(() => random.chance(0.5))

function drawChoices(drawing: Drawing, task: TaskDoc, tasks: readonly TaskDoc[], index: number): void {
  if (task.type !== 'decision') return
  const { random } = drawing
  const dependents = attach(drawing, tasks, index)
  if (random.chance(0.5)) task.mode = 'all'
  task.cases = Array.from({ length: 1 + random.int(3) }, () => ({
    when: drawCondition(random),
    next: some(random, dependents),
  }))
  if (random.chance(0.8)) task.default = some(random, dependents)
}

function drawRules(drawing: Drawing, task: TaskDoc, tasks: readonly TaskDoc[], index: number): void {
  const { random } = drawing
  if (!random.chance(task.type === 'h' ? 0.8 : 0.4)) return
  const rule = (): RuleDoc => {
    if (random.chance(0.4)) {
      const next = some(random, attach(drawing, tasks, index))
      if (next.length > 0) return { next }
    }
    return { do: random.pick(['incident', 'fail', 'skip'] as const) }
  }
  const draw = random.next()
  if (drawing.isRacing && random.chance(0.4)) task.onFailure = 'fail'
  else if (draw < 0.5) task.onFailure = random.pick(['incident', 'fail', 'fail', 'skip', 'skip'] as const)
  else if (draw < 0.7)
    task.onFailure = [
      { code: 'a', ...rule() },
      { code: 'b', ...rule() },
    ]
  else {
    const only = rule()
    task.onFailure = only.next === undefined ? [only] : only
  }
}
