// What one task of a random workflow is: its type, and what it says for itself.
import type { Random } from '../simulation/random.ts'
import type { TaskDoc, Values } from './language.ts'

export interface Drawing {
  readonly random: Random
  /** Names that were given. */
  readonly names: { count: number }
  /** Levels of scopes that may still come. */
  readonly depth: number
  /** In items that begin at once: times that begin with them would be over at once. */
  readonly isTied: boolean
  /** In a branch or an item, where failures decide. */
  readonly isRacing: boolean
  /** A list of so many tasks, of a scope inside. */
  readonly list: (drawing: Drawing, length: number) => TaskDoc[]
}

export const codes = ['a', 'b']
const varNames = ['x', 'y']
/** Does not come up while an instance of these lives. */
export const never = '30d'
export const once = {
  maxAttempts: 1,
  initialInterval: '1ms',
  maxInterval: '1ms',
  jitter: 0,
  backoffCoefficient: 1,
} as const

export const drawMs = (random: Random): number => 1 + random.int(9_999_999)
const drawDuration = (random: Random): string => `${drawMs(random)}ms`

export function drawTask(drawing: Drawing): TaskDoc {
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
      task.tasks = drawInner(drawing, false)
      break
    case 'parallel':
      task.branches = Array.from({ length: random.pick([1, 2, 2, 3, 3]) }, () => drawInner(drawing, true))
      task.join = random.pick(['all', 'first', 'first', 'any', 1 + random.int(3)] as const)
      break
    case 'for-each':
      drawForEach(drawing, task)
      break
    case 'fail':
    case 'stop':
      if (task.type === 'fail' && random.chance(0.7)) task.code = random.pick(codes)
      task.reason = 'so be it'
      delete task.set
      break
    default:
      drawLeaf(drawing, task)
  }
  if (!['fail', 'stop', 'set', 'decision', 'kafka-command'].includes(task.type)) drawDeadlines(drawing, task)
  if (task.type === 'h') task.timeout = !drawing.isTied && random.chance(0.1) ? drawDuration(random) : never
  // Whether the outcome of what is no handler is unknown once it took too long, the page does not say. To be decided is
  // one that told that it had failed, waits for a person, and then takes too long.
  const isClear =
    task.type === 'h'
      ? task.maxDuration === undefined || task.onMaxDuration === 'skip'
      : (task.maxDuration ?? task.timeout ?? task.deadline) === undefined
  if (isClear && random.chance(0.3) && !['fail', 'stop'].includes(task.type))
    task.compensate = drawAside(random, 'undo', name, '${ output }')
  if (task.type === 'h' || (['process', 'parallel', 'for-each'].includes(task.type) && random.chance(0.3)))
    drawRetry(random, task)
  // Not to be compared yet: an attempt that timed out, and then one that told that it has failed.
  if (task.compensate !== undefined && task.timeout !== undefined && task.timeout !== never) task.retry = once
  // What does a request is to the engine what a handler is.
  return task.type === 'h' && random.stream(`http ${name}`).chance(0.2)
    ? { ...task, type: 'http', url: 'https://service.example/' }
    : task
}

function drawLeaf({ random, names, isTied }: Drawing, task: TaskDoc): void {
  switch (task.type) {
    case 'trigger':
      task.delay = drawDuration(random)
      return
    case 'signal':
      task.signal = random.pick(['one', 'two'])
      if (!isTied && random.chance(0.5)) task.timeout = drawDuration(random)
      return
    case 'kafka-listener':
      task.topic = random.pick(['one', 'two'])
      task.correlate = { message: 'message.key', instance: 'instance.key' }
      task.keep = '365d'
      if (random.chance(0.3)) task.where = `message.value.v > ${random.int(4)}`
      if (!isTied && random.chance(0.5)) task.timeout = drawDuration(random)
      // Whether each record begins the wait anew, the page does not say.
      else if (random.chance(0.3)) {
        task.set = { x: '${ message.value.v }' }
        task.until = random.pick(['vars.x > 3', 'message.value.v > 2', 'vars.x > vars.y'])
      }
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
      task.run = { name: `t${names.count++}`, type: 'h', timeout: never, retry: once, onFailure: 'skip' }
      if (random.chance(0.3)) task.run.onFailure = 'fail'
      if (random.chance(0.5)) task.run.set = { x: '${ vars.x + 1 }' }
      return
    default:
  }
}

function drawDeadlines({ random, isTied }: Drawing, task: TaskDoc): void {
  if (isTied) return
  if (random.chance(0.1)) {
    task.maxDuration = drawDuration(random)
    if (random.chance(0.6)) task.onMaxDuration = random.pick(['fail', 'skip'] as const)
  }
  if (random.chance(0.1)) {
    const rest = drawAside(random, 'late', task.name, '${ vars.x }')
    // oxlint-disable-next-line unicorn/no-thenable
    task.monitor = { completeBy: drawDuration(random), then: rest }
  }
}

const drawInner = (drawing: Drawing, isRacing: boolean): TaskDoc[] =>
  drawing.list({ ...drawing, depth: drawing.depth - 1, isRacing }, 1 + drawing.random.int(3))

function drawForEach(drawing: Drawing, task: TaskDoc): void {
  const { random } = drawing
  task.items = random.chance(0.9) ? '${ input.list }' : '${ input.none }'
  if (random.chance(0.5)) task.concurrency = 1 + random.int(3)
  task.tasks = drawInner({ ...drawing, isTied: drawing.isTied || task.concurrency !== 1 }, true)
  if (random.chance(0.4)) task.join = random.pick(['all', 'first', 'any', 1 + random.int(3)] as const)
  if (random.chance(0.6)) task.onItemFailure = random.pick(['fail', 'continue', 'continue'] as const)
  if (random.chance(0.5)) {
    const { name } = random.pick(task.tasks)
    task.output = { status: `\${ tasks.${name}.status }`, item: '${ item }', index: '${ index }' }
    if (random.chance(0.2)) task.output = `\${ tasks.${name}.output }`
  }
}

function drawType({ random, depth, isRacing, isTied }: Drawing): string {
  if (isRacing && random.chance(0.5)) return 'h'
  const draw = random.next()
  if (draw < 0.35) return 'h'
  if (draw < 0.45) return 'set'
  if (draw < 0.57) return 'kafka-command'
  if (draw < 0.67) return 'decision'
  if (draw < 0.7) return random.pick(['fail', 'stop'])
  if (draw < 0.82)
    return random.pick(
      isTied ? ['signal', 'kafka-listener'] : ['trigger', 'signal', 'kafka-listener', 'interval', 'workflow'],
    )
  return depth > 0 ? random.pick(['process', 'parallel', 'for-each', 'for-each']) : 'h'
}

function drawRetry(random: Random, task: TaskDoc): void {
  const interval = drawDuration(random)
  task.retry = {
    maxAttempts: random.pick([1, 1, 2, 3]),
    initialInterval: interval,
    backoffCoefficient: random.pick([1, 2]),
    maxInterval: random.chance(0.5) ? interval : `${30_000_000 + drawMs(random)}ms`,
    jitter: 0,
    ...(random.chance(0.2) ? { nonRetryable: ['b'] } : {}),
  }
}

/** A task beside this one, with no name of its own. */
function drawAside(random: Random, topic: string, of: string, tells: string): Omit<TaskDoc, 'name'> {
  if (random.chance(0.5)) return { type: 'kafka-command', topic, value: { of, tells } }
  const aside: TaskDoc = { name: '', type: topic, timeout: never }
  drawRetry(random, aside)
  if (random.chance(0.5)) aside.onFailure = random.pick(['incident', 'fail', 'skip'] as const)
  const { name: _, ...rest } = aside
  return rest
}

export function drawCondition(random: Random): string {
  if (random.chance(0.02)) return 'input.nothing > 1'
  const left = random.pick(['vars.x', 'vars.y', 'input.n'])
  return random.pick([`${left} > ${random.int(5)}`, `${left} == ${random.int(4)}`, `${left} > ${random.int(2)}`])
}

function drawSet(random: Random, hasOutput: boolean): Values {
  const values = ['${ vars.x + 1 }', '${ vars.y + vars.x }', '${ input.n }', random.int(5)]
  if (hasOutput) values.push('${ output.v }')
  if (random.chance(0.05)) return { [random.pick(varNames)]: '${ input.nothing }' }
  return { [random.pick(varNames)]: random.pick(values) }
}
