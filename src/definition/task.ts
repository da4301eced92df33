// One task of a document → a Task, by its type. A type that is none of the built-in ones is the name of a handler.
import type { Compiler } from './compiler.ts'
import { compileExpression, compileTemplate } from './expression.ts'
import type { Cursor } from './cursor.ts'
import { given } from './given.ts'
import type { OnFailure, RetryPolicy, Scope, Task } from './workflow.ts'

/** What the scope knows about a task. */
export type TaskPlace = Pick<Task, 'name' | 'index' | 'scope' | 'dependsOn' | 'dependents'>

/** Compiles the inner tasks of a process. */
export type BuildInner = (tasks: Cursor) => Scope

const defaultKeepMs = 3_600_000
const handlerAttemptsMax = 10
/** Stand-ins for what does not compile: the workflow is refused, and the checks go on. */
const never = compileExpression('false')
const nothing = compileTemplate(null)

/** Builds one task; what is wrong in it goes to the compiler's report. */
export function buildTask(item: Cursor, place: TaskPlace, compiler: Compiler, buildInner: BuildInner): Task {
  const type = item.at('type').text ?? ''
  const common = {
    ...place,
    ...given('description', item.at('description').text),
    ...given('when', compiler.condition(item.at('when'), 'task')),
    ...given('set', compiler.templates(item.at('set'), type === 'kafka-listener' ? 'listenerSet' : 'set')),
    ...given('timeoutMs', compiler.duration(item.at('timeout'), 1)),
    onFailure: buildOnFailure(item.at('onFailure'), type),
  }
  const builtIn = { ...common, retry: buildRetry(item.at('retry'), 1, compiler) }
  switch (type) {
    case 'kafka-command':
      return {
        ...builtIn,
        type,
        topic: compiler.template(item.at('topic'), 'task') ?? nothing,
        value: compiler.template(item.at('value'), 'task') ?? nothing,
        ...given('key', compiler.template(item.at('key'), 'task')),
        ...given('headers', compiler.templates(item.at('headers'), 'task')),
        ...given('partition', compiler.template(item.at('partition'), 'task')),
      }
    case 'kafka-listener': {
      const correlate = item.at('correlate')
      const pairs = Array.isArray(correlate.value) ? correlate.items : [correlate]
      return {
        ...builtIn,
        type,
        topic: item.at('topic').text ?? '',
        from: item.at('from').text === 'earliest' ? 'earliest' : 'latest',
        correlate: pairs.map((pair) => ({
          message: compiler.expression(pair.at('message'), 'record') ?? never,
          instance: compiler.expression(pair.at('instance'), 'correlation') ?? never,
        })),
        keepMs: compiler.duration(item.at('keep')) ?? defaultKeepMs,
        ...given('where', compiler.condition(item.at('where'), 'record')),
      }
    }
    case 'process':
      return { ...builtIn, type, inner: buildInner(item.at('tasks')) }
    case 'decision': {
      const cases = item.at('cases').items.map((choice) => ({
        when: compiler.condition(choice.at('when'), 'task') ?? never,
        next: choice.at('next').texts,
      }))
      const otherwise = item.at('default').isGiven ? item.at('default').texts : undefined
      const named = new Set([...cases.flatMap((choice) => choice.next), ...(otherwise ?? [])])
      return { ...builtIn, type, cases, named, ...given('default', otherwise) }
    }
    case 'set':
      return { ...builtIn, type }
    case 'trigger':
      return {
        ...builtIn,
        type,
        ...given('at', compiler.template(item.at('at'), 'task')),
        ...given('delay', compiler.template(item.at('delay'), 'task')),
      }
    default:
      return {
        ...common,
        type: 'handler',
        handler: type,
        retry: buildRetry(item.at('retry'), handlerAttemptsMax, compiler),
        ...given('with', compiler.template(item.at('with'), 'task')),
      }
  }
}

function buildOnFailure(at: Cursor, type: string): OnFailure {
  if (at.text === 'fail' || at.text === 'skip' || at.text === 'incident') return at.text
  // A scope that failed has had its incident, or chose to do without: asking again would only repeat it.
  return type === 'process' ? 'fail' : 'incident'
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
