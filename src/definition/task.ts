// One task of a document → a Task, by its type. A type that is none of the built-in ones is the name of a handler.
import type { Compiler } from './compiler.ts'
import { compileExpression, compileTemplate } from './expression.ts'
import type { Template } from './expression.ts'
import type { Cursor } from './cursor.ts'
import { given } from './given.ts'
import type { BranchTask, FailureRule, ItemTask, Join, Monitor, RetryPolicy, Scope, Task } from './workflow.ts'

/** What the scope knows about a task. */
export type TaskPlace = Pick<Task, 'name' | 'index' | 'scope' | 'item' | 'dependsOn' | 'dependents' | 'aside'>

/** Compiles the tasks that lie in this one, or beside it. */
export interface Inside {
  /** A list of tasks as the scope of this one. */
  scope(tasks: Cursor): Scope
  /** One task as the scope of this one. */
  single(task: Cursor, name: string): Scope
  branch(tasks: Cursor, position: number): BranchTask
  each(task: Cursor): ItemTask
  /** One that runs beside the scope, when it is called for. */
  aside(task: Cursor, kind: 'monitor' | 'compensation'): Task
}

const defaultKeepMs = 3_600_000
const defaultConcurrency = 10
const handlerAttemptsMax = 10
/** Stand-ins for what does not compile: the workflow is refused, and the checks go on. */
const never = compileExpression('false')
const nothing = compileTemplate(null)
const get = compileTemplate('GET')
const post = compileTemplate('POST')

/** Builds one task; what is wrong in it goes to the compiler's report. */
export function buildTask(item: Cursor, place: TaskPlace, compiler: Compiler, inside: Inside): Task {
  const type = item.at('type').text ?? ''
  const common = {
    ...place,
    ...given('description', item.at('description').text),
    ...given('when', compiler.condition(item.at('when'), 'task')),
    ...given('set', compiler.templates(item.at('set'), type === 'kafka-listener' ? 'listenerSet' : 'set')),
    ...given('timeoutMs', compiler.duration(item.at('timeout'), 1)),
    ...buildFailure(item.at('onFailure'), type, compiler),
    ...given('maxDurationMs', compiler.duration(item.at('maxDuration'), 1)),
    onMaxDuration: oneOf(item.at('onMaxDuration'), ['fail', 'skip']),
    ...given('monitor', buildMonitor(item.at('monitor'), compiler, inside)),
    ...given(
      'compensate',
      item.at('compensate').isGiven ? inside.aside(item.at('compensate'), 'compensation') : undefined,
    ),
  }
  const site = place.aside === 'compensation' ? 'set' : 'task'
  const effect = place.aside === 'compensation' ? 'effectUndone' : 'effect'
  const builtIn = { ...common, retry: buildRetry(item.at('retry'), 1, compiler) }
  switch (type) {
    case 'kafka-command':
      return {
        ...builtIn,
        type,
        topic: compiler.template(item.at('topic'), site) ?? nothing,
        value: compiler.template(item.at('value'), site) ?? nothing,
        ...given('key', compiler.template(item.at('key'), site)),
        ...given('headers', compiler.templates(item.at('headers'), site)),
        ...given('partition', compiler.template(item.at('partition'), site)),
      }
    case 'kafka-listener': {
      const correlate = item.at('correlate')
      const pairs = Array.isArray(correlate.value) ? correlate.items : [correlate]
      const skipAhead = item.at('skipAhead').value === true
      return {
        ...builtIn,
        type,
        topic: item.at('topic').text ?? '',
        from: item.at('from').text === 'earliest' ? 'earliest' : 'latest',
        correlate: pairs.map((pair) => ({
          message: compiler.expression(pair.at('message'), 'record') ?? never,
          instance: compiler.expression(pair.at('instance'), skipAhead ? 'correlationAhead' : 'correlation') ?? never,
        })),
        keepMs: compiler.duration(item.at('keep')) ?? defaultKeepMs,
        match: oneOf(item.at('match'), ['one', 'all']),
        onExpired: oneOf(item.at('onExpired'), ['drop', 'dead-letter']),
        skipAhead,
        ...given('until', compiler.condition(item.at('until'), 'listenerSet')),
        ...given('where', compiler.condition(item.at('where'), 'record')),
      }
    }
    case 'process':
      return { ...builtIn, type, inner: inside.scope(item.at('tasks')) }
    case 'parallel': {
      const branches = item.at('branches').items.map((tasks, position) => inside.branch(tasks, position))
      return { ...builtIn, type, branches, join: buildJoin(item.at('join')) }
    }
    case 'for-each':
      return {
        ...builtIn,
        type,
        items: compiler.template(item.at('items'), 'task') ?? nothing,
        each: inside.each(item),
        concurrency: item.at('concurrency').number ?? defaultConcurrency,
        join: buildJoin(item.at('join')),
        onItemFailure: oneOf(item.at('onItemFailure'), ['fail', 'continue']),
      }
    case 'workflow':
      return {
        ...builtIn,
        type,
        workflow: compiler.template(item.at('workflow'), site) ?? nothing,
        wait: item.at('wait').value !== false,
        ...given('key', compiler.template(item.at('key'), site)),
        ...given('input', compiler.template(item.at('input'), site)),
      }
    case 'interval':
      return {
        ...builtIn,
        type,
        everyMs: compiler.duration(item.at('every'), 1) ?? 1,
        inner: inside.single(item.at('run'), `${place.name}-run`),
        until: compiler.condition(item.at('until'), 'task') ?? never,
        onDeadline: oneOf(item.at('onDeadline'), ['fail', 'complete', 'skip']),
        ...given('deadlineMs', compiler.duration(item.at('deadline'), 1)),
      }
    case 'signal':
      return { ...builtIn, type, signal: item.at('signal').text ?? place.name }
    case 'http': {
      const request = {
        url: compiler.template(item.at('url'), effect) ?? nothing,
        method:
          compiler.template(item.at('method'), effect) ??
          (item.at('body').isGiven || place.aside === 'compensation' ? post : get),
        ...given('headers', compiler.templates(item.at('headers'), effect)),
        ...given('body', compiler.template(item.at('body'), effect)),
      }
      const parts = [request.url, request.method, request.body, ...(request.headers?.values() ?? [])]
      const hasSecrets = parts.some(usesSecrets)
      return {
        ...common,
        type,
        retry: buildRetry(item.at('retry'), handlerAttemptsMax, compiler),
        ...request,
        hasSecrets,
      }
    }
    case 'fail':
      return {
        ...builtIn,
        type,
        ...given('reason', compiler.template(item.at('reason'), site)),
        ...given('code', compiler.template(item.at('code'), site)),
      }
    case 'stop':
      return { ...builtIn, type, ...given('reason', compiler.template(item.at('reason'), site)) }
    case 'decision': {
      const cases = item.at('cases').items.map((choice) => ({
        when: compiler.condition(choice.at('when'), 'task') ?? never,
        next: choice.at('next').texts,
      }))
      const otherwise = item.at('default').isGiven ? item.at('default').texts : undefined
      const named = new Set([...cases.flatMap((choice) => choice.next), ...(otherwise ?? [])])
      return {
        ...builtIn,
        type,
        mode: oneOf(item.at('mode'), ['first', 'all']),
        cases,
        named,
        ...given('default', otherwise),
      }
    }
    case 'set':
      return { ...builtIn, type }
    case 'trigger':
      return {
        ...builtIn,
        type,
        ...given('at', compiler.template(item.at('at'), site)),
        ...given('delay', compiler.template(item.at('delay'), site)),
      }
    default: {
      const input = compiler.template(item.at('with'), effect)
      return {
        ...common,
        type: 'handler',
        handler: type,
        execution: oneOf(item.at('execution'), ['main', 'thread']),
        retry: buildRetry(item.at('retry'), handlerAttemptsMax, compiler),
        ...given('with', input),
        hasSecrets: usesSecrets(input),
      }
    }
  }
}

const usesSecrets = (template: Template | undefined): boolean => template?.uses.roots.has('secrets') === true

/** A text that is one of these; the first where there is none. */
export function oneOf<const Value extends string>(at: Cursor, values: readonly [Value, ...Value[]]): Value {
  return values.find((value) => value === at.text) ?? values[0]
}

function buildJoin(at: Cursor): Join {
  return at.number ?? oneOf(at, ['all', 'first', 'any'])
}

/** The rules as they are tried, with what decides where none of them fits. */
function buildFailure(at: Cursor, type: string, compiler: Compiler): Pick<Task, 'onFailure' | 'rescue'> {
  // A scope that failed has had its incident, or chose to do without: asking again would only repeat it.
  const otherwise = scopeTypes.has(type) ? 'fail' : 'incident'
  const items = Array.isArray(at.value) ? at.items : at.isGiven ? [at] : []
  const rules = items.map((item) => buildRule(item, otherwise, compiler))
  const rescue = new Set(rules.flatMap(({ action }) => (typeof action === 'object' ? action.next : [])))
  return { onFailure: [...rules, { action: otherwise }], rescue }
}

const scopeTypes = new Set(['process', 'parallel', 'for-each', 'interval'])

function buildRule(at: Cursor, otherwise: 'incident' | 'fail', compiler: Compiler): FailureRule {
  if (at.text !== undefined) return { action: oneOf(at, [otherwise, 'incident', 'fail', 'skip']) }
  const code = at.at('code')
  const codes = code.text === undefined ? code.texts : [code.text]
  const next = at.at('next')
  return {
    ...given('codes', code.isGiven ? codes : undefined),
    ...given('when', compiler.condition(at.at('when'), 'failure')),
    ...given('set', compiler.templates(at.at('set'), 'failure')),
    action: next.isGiven ? { next: next.texts } : oneOf(at.at('do'), [otherwise, 'incident', 'fail', 'skip']),
  }
}

/** Runs once if its deadline passes; of a task, or of the workflow. */
export function buildMonitor(at: Cursor, compiler: Compiler, inside: Pick<Inside, 'aside'>): Monitor | undefined {
  if (!at.isGiven) return undefined
  return {
    completeBy: compiler.template(at.at('completeBy'), 'task') ?? nothing,
    task: inside.aside(at.at('then'), 'monitor'),
  }
}

function buildRetry(at: Cursor, attemptsMax: number, compiler: Compiler): RetryPolicy {
  return {
    maxAttempts: at.at('maxAttempts').number ?? attemptsMax,
    initialIntervalMs: compiler.duration(at.at('initialInterval')) ?? 1_000,
    backoffCoefficient: at.at('backoffCoefficient').number ?? 2,
    maxIntervalMs: compiler.duration(at.at('maxInterval')) ?? 60_000,
    jitter: at.at('jitter').number ?? 0.2,
    nonRetryable: at.at('nonRetryable').texts,
    ...given('maxElapsedMs', compiler.duration(at.at('maxElapsed'), 1)),
  }
}
