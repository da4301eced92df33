// Random workflows, and what happens to them: a seed gives the same ones every time. Times are drawn from so wide a
// range that no two things happen at once, but for what follows from one another.
import { createRandom, type Random } from '../simulation/random.ts'
import type { RuleDoc, Script, TaskDoc, Value, Values, WorkflowDoc } from './language.ts'

export interface Program {
  readonly doc: WorkflowDoc
  readonly input: Value
  readonly script: Script
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
  return {
    doc,
    input: { n: random.int(6), list: Array.from({ length: random.int(4) }, () => random.int(9)), none: [] },
    script: drawScript(seed),
  }
}

function drawScript(seed: number): Script {
  return {
    run(task, nth) {
      const random = createRandom(`reference/${seed}/${task}/${nth}`)
      const ms = 1 + random.int(9_999_999)
      return random.chance(0.4) ? { ms, code: random.pick(codes) } : { ms, output: { v: random.int(6) } }
    },
    arrivals: [],
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
  }
  if (random.chance(0.3) && !['fail', 'stop'].includes(task.type)) task.compensate = drawCompensation(random, name)
  if (task.type === 'h') task.timeout = '30d' // of a handler it is much shorter by default
  if (task.type === 'h' || (['process', 'parallel', 'for-each'].includes(task.type) && random.chance(0.3)))
    drawRetry(random, task)
  return task
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
  return depth > 0 ? random.pick(['process', 'parallel', 'for-each']) : 'h'
}

function drawRetry(random: Random, task: TaskDoc): void {
  const interval = `${1 + random.int(9_999_999)}ms`
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
