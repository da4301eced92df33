// Random workflows, and what happens to them: a seed gives the same ones every time. Times are drawn from so wide a
// range that no two things happen at once, but for what follows from one another.
import { createRandom, type Random } from '../simulation/random.ts'
import {
  childDelayMs,
  type RuleDoc,
  type Script,
  type TaskDoc,
  type Value,
  type Values,
  type WorkflowDoc,
} from './language.ts'

export interface Program {
  readonly doc: WorkflowDoc
  readonly input: Value
  readonly script: Script
  /** Workflows that it starts as children. */
  readonly others: readonly WorkflowDoc[]
}

interface Drawing {
  readonly random: Random
  /** Names that were given. */
  readonly names: { count: number }
  /** Levels of scopes that may still come. */
  readonly depth: number
}

const codes = ['a', 'b']
const varNames = ['x', 'y']

export function generate(seed: number): Program {
  const random = createRandom(`reference/${seed}`)
  const drawing: Drawing = { random, names: { count: 0 }, depth: 2 }
  const tasks = drawTasks(drawing, 2 + random.int(6))
  const doc: WorkflowDoc = { workflow: 'w', vars: { x: 0, y: 1 }, retention: '365d', tasks }
  const list = Array.from({ length: random.int(4) }, () => random.int(9))
  const text = JSON.stringify(tasks)
  const others = children.filter(({ workflow }) => text.includes(`"workflow":"${workflow}"`))
  return { doc, input: { n: random.int(6), list, none: [] }, script: drawScript(seed, random), others }
}

const child = (workflow: string, task: Omit<TaskDoc, 'name'>, output: Value): WorkflowDoc => {
  const before = task.type === 'h' ? [] : [{ name: 'pause', type: 'trigger', delay: `${childDelayMs}ms` }]
  return { workflow, vars: {}, retention: '365d', tasks: [...before, { name: 'work', ...task }], output }
}
const once = { maxAttempts: 1, initialInterval: '1ms', maxInterval: '1ms', jitter: 0, backoffCoefficient: 1 } as const
const children = [
  child('works', { type: 'h', timeout: '30d', retry: once, onFailure: 'fail' }, '${ tasks.work.output }'),
  child('stops', { type: 'stop' }, 1),
  child('fails', { type: 'fail' }, 1),
]

function drawScript(seed: number, random: Random): Script {
  const arrivals = Array.from({ length: random.int(6) }, (_, index) => ({
    atMs: drawMs(random) * 3 + index,
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
  }
}

const drawMs = (random: Random): number => 1 + random.int(9_999_999)
const drawDuration = (random: Random): string => `${drawMs(random)}ms`

function drawTasks(drawing: Drawing, length: number): TaskDoc[] {
  const { random } = drawing
  const tasks = Array.from({ length }, () => drawTask(drawing))
  tasks.forEach((task, index) => {
    const draw = random.next()
    if (draw < 0.45) return
    const before = tasks.slice(0, index).map(({ name }) => name)
    task.dependsOn = draw < 0.6 ? [] : before.filter(() => random.chance(0.4)).slice(0, 3)
  })
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
  if (draw < 0.5) task.onFailure = random.pick(['incident', 'fail', 'fail', 'skip', 'skip'] as const)
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

function drawTask(drawing: Drawing): TaskDoc {
  const { random } = drawing
  const name = `t${drawing.names.count++}`
  const task: TaskDoc = { name, type: drawType(drawing) }
  if (random.chance(0.2)) task.when = drawCondition(random)
  if (task.type === 'set' || random.chance(0.2)) task.set = drawSet(random, task.type === 'h')
  switch (task.type) {
    case 'kafka-command':
      task.topic = 'out'
      task.value = { of: name, x: '${ vars.x }', y: '${ vars.y }' }
      break
    case 'process':
      task.tasks = drawInner(drawing)
      break
    case 'parallel':
      task.branches = Array.from({ length: 1 + random.int(3) }, () => drawInner(drawing))
      task.join = random.pick(['all', 'first', 'any', 1 + random.int(3)] as const)
      break
    case 'for-each':
      drawForEach(drawing, task)
      break
    case 'fail':
    case 'stop':
      if (task.type === 'fail') task.code = random.pick(codes)
      task.reason = 'so be it'
      delete task.set
      break
    default:
      drawLeaf(drawing, task)
  }
  if (!['fail', 'stop', 'set', 'decision', 'kafka-command'].includes(task.type)) drawDeadlines(drawing, task)
  if (task.type === 'h') task.timeout = random.chance(0.1) ? drawDuration(random) : '30d'
  // Whether the outcome of what is no handler is unknown once it took too long, the page does not say. To be decided is
  // one that told that it had failed, waits for a person, and then takes too long.
  const isClear =
    task.type === 'h'
      ? task.maxDuration === undefined || task.onMaxDuration === 'skip'
      : (task.maxDuration ?? task.timeout ?? task.deadline) === undefined
  if (isClear && random.chance(0.3) && !['fail', 'stop'].includes(task.type))
    task.compensate = drawCompensation(random, name) // of a handler it is much shorter by default
  if (task.type === 'h' || (['process', 'parallel', 'for-each'].includes(task.type) && random.chance(0.3)))
    drawRetry(random, task)
  // Not to be compared yet: an attempt that timed out, and then one that told that it has failed.
  if (task.compensate !== undefined && task.timeout !== undefined && task.timeout !== '30d') task.retry = once
  return task
}

function drawLeaf({ random, names }: Drawing, task: TaskDoc): void {
  switch (task.type) {
    case 'trigger':
      task.delay = drawDuration(random)
      return
    case 'signal':
      task.signal = random.pick(['one', 'two'])
      if (random.chance(0.5)) task.timeout = drawDuration(random)
      return
    case 'kafka-listener':
      task.topic = random.pick(['one', 'two'])
      task.correlate = { message: 'message.key', instance: 'instance.key' }
      task.keep = '365d'
      if (random.chance(0.5)) task.timeout = drawDuration(random)
      return
    case 'workflow':
      task.workflow = random.pick(['works', 'works', 'stops', 'fails'])
      if (random.chance(0.2)) task.wait = false
      return
    case 'interval':
      task.every = drawDuration(random)
      task.until = random.pick(['vars.x > 3', 'vars.y > 4', 'vars.x == vars.y'])
      task.deadline = `${3 * drawMs(random)}ms`
      task.onDeadline = random.pick(['complete', 'fail', 'skip'] as const)
      task.onFailure = random.pick(['incident', 'fail', 'skip'] as const)
      task.run = { name: `t${names.count++}`, type: 'h', timeout: '30d', retry: once, onFailure: 'skip' }
      if (random.chance(0.3)) task.run.onFailure = 'fail'
      if (random.chance(0.5)) task.run.set = { x: '${ vars.x + 1 }' }
      return
    default:
  }
}

function drawDeadlines({ random }: Drawing, task: TaskDoc): void {
  if (random.chance(0.1)) {
    task.maxDuration = drawDuration(random)
    if (random.chance(0.6)) task.onMaxDuration = random.pick(['fail', 'skip'] as const)
  }
  if (random.chance(0.1)) {
    const then: TaskDoc = { name: '', type: 'kafka-command', topic: 'late', value: { of: task.name } }
    const { name: _, ...rest } = then
    // oxlint-disable-next-line unicorn/no-thenable
    task.monitor = { completeBy: drawDuration(random), then: rest }
  }
}

const drawInner = (drawing: Drawing): TaskDoc[] =>
  drawTasks({ ...drawing, depth: drawing.depth - 1 }, 1 + drawing.random.int(3))

function drawForEach(drawing: Drawing, task: TaskDoc): void {
  const { random } = drawing
  task.items = random.pick(['${ input.list }', '${ input.list }', '${ input.none }'])
  task.tasks = drawInner(drawing)
  if (random.chance(0.5)) task.concurrency = 1 + random.int(3)
  if (random.chance(0.5)) task.join = random.pick(['all', 'first', 'any', 1 + random.int(3)] as const)
  if (random.chance(0.5)) task.onItemFailure = random.pick(['fail', 'continue'] as const)
  if (random.chance(0.5)) {
    const { name } = random.pick(task.tasks)
    task.output = { status: `\${ tasks.${name}.status }`, item: '${ item }', index: '${ index }' }
    if (random.chance(0.2)) task.output = `\${ tasks.${name}.output }`
  }
}

function drawType({ random, depth }: Drawing): string {
  const draw = random.next()
  if (draw < 0.35) return 'h'
  if (draw < 0.5) return 'set'
  if (draw < 0.65) return 'kafka-command'
  if (draw < 0.8) return 'decision'
  if (draw < 0.83) return random.pick(['fail', 'stop'])
  if (draw < 0.9) return random.pick(['trigger', 'signal', 'kafka-listener', 'interval', 'workflow'])
  return depth > 0 ? random.pick(['process', 'parallel', 'for-each']) : 'h'
}

function drawRetry(random: Random, task: TaskDoc): void {
  const interval = drawDuration(random)
  task.retry = {
    maxAttempts: 1 + random.int(3),
    initialInterval: interval,
    maxInterval: interval,
    backoffCoefficient: 1,
    jitter: 0,
  }
}

function drawCompensation(random: Random, name: string): Omit<TaskDoc, 'name'> {
  if (random.chance(0.5)) return { type: 'kafka-command', topic: 'undo', value: { of: name, gave: '${ output }' } }
  const undo: TaskDoc = { name, type: 'undo', timeout: '30d' }
  drawRetry(random, undo)
  const { name: _, ...rest } = undo
  return rest
}

function drawCondition(random: Random): string {
  const left = random.pick(['vars.x', 'vars.y', 'input.n'])
  return random.pick([`${left} > ${random.int(5)}`, `${left} == ${random.int(4)}`, `${left} > ${random.int(2)}`])
}

function drawSet(random: Random, hasOutput: boolean): Values {
  const values = ['${ vars.x + 1 }', '${ vars.y + vars.x }', '${ input.n }', random.int(5)]
  if (hasOutput) values.push('${ output.v }')
  return { [random.pick(varNames)]: random.pick(values) }
}
