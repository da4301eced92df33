// Spans, made when what they are of is over and committed.
//
//   start <workflow>      below what started the instance; ends once the start is committed
//     ├─ task <name>      an attempt of a task, with the times of the state
//     └─ run <workflow>   the whole instance, once it has ended
//
// The first of them is in the `traceparent` of the instance (engine/state.ts), and so everything finds its trace with
// nothing else kept. README.md names spans and attributes.
import { context, createTraceState, diag, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Attributes, Context, Span, SpanContext, SpanOptions, Tracer as Spans } from '@opentelemetry/api'
import type {
  AttemptEnded,
  HappenedTo,
  Happening,
  InstanceEnded,
  InstanceStarted,
  TraceContext,
  TracedInstance,
  TracedRecord,
  Tracer,
} from '../../base/tracing.ts'
import { spanIdOf, traceIdOf, type DerivedIds } from './derived-ids.ts'

export interface TracerOptions {
  readonly spans: Spans
  /** Those that `spans` draws from. */
  readonly ids: DerivedIds
  readonly messagingSystem: string
  readonly nowMs: () => number
}

export function createTracer({ spans, ids, messagingSystem, nowMs }: TracerOptions): Tracer {
  const make = (id: string, own: string, name: string, options: SpanOptions, below: Context): Span =>
    ids.with(id, own, () => spans.startSpan(name, options, below))

  /** Below what started the instance, or in a trace of its own. */
  const startSpan = (id: string, from: TraceContext | undefined, name: string, options: SpanOptions): Span =>
    make(spanIdOf(id), traceIdOf(id), name, options, below(from))

  const begin = (id: string, from: TraceContext | undefined): TraceContext =>
    // Never ended, and so never sent: it is asked for what the sampler says.
    textOf(startSpan(id, from, 'start', {}).spanContext())

  const contextOf = ({ id, traceparent, tracestate }: TracedInstance): TraceContext =>
    traceparent === undefined ? begin(id, undefined) : { traceparent, tracestate }

  const inside = (instance: HappenedTo, key: string, name: string, options: SpanOptions): Span => {
    const parent = contextOf(instance)
    return make(spanIdOf(`${instance.id}/${key}`), '', name, options, below(parent))
  }

  const tellStarted = ({ instance, from, record, by, atMs }: InstanceStarted): void => {
    const attributes = { ...attributesOf(instance), 'dagger_worker.start.by': by }
    const received = record === undefined ? {} : messageAttributes('process', record.topic, record)
    startSpan(instance.id, from, `start ${instance.workflow}`, {
      kind: by === 'record' ? SpanKind.CONSUMER : SpanKind.INTERNAL,
      startTime: new Date(atMs),
      attributes: { ...attributes, ...received },
    }).end(new Date(Math.max(atMs, nowMs())))
  }

  const tellAttempt = (happening: AttemptEnded): void => {
    const { instance, key, task, taskType, topic, record, link, fromMs, toMs, errorCode } = happening
    const operation = taskType === 'kafka-command' ? 'send' : 'receive'
    const span = inside(instance, key, `task ${task}`, {
      kind: kinds[taskType] ?? SpanKind.INTERNAL,
      startTime: new Date(fromMs),
      attributes: {
        ...attributesOf(instance),
        ...attemptAttributes(happening),
        ...(topic === undefined ? {} : messageAttributes(operation, topic, record)),
      },
      links: link === undefined ? [] : [{ context: spanContextOf(link) }],
    })
    end(span, toMs, errorCode)
  }

  const tellEnded = ({ instance, fromMs, toMs, status, errorCode }: InstanceEnded): void => {
    const attributes = { ...attributesOf(instance), 'dagger_worker.instance.status': status }
    const options = { startTime: new Date(fromMs), attributes }
    // One that had failed and went on ends again.
    const span = inside(instance, `end@${toMs}`, `run ${instance.workflow}`, options)
    end(span, toMs, status === 'FAILED' ? errorCode : undefined)
  }

  const messageAttributes = (operation: string, topic: string, record: TracedRecord | undefined): Attributes => ({
    'messaging.system': messagingSystem,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': topic,
    ...(record && {
      'messaging.destination.partition.id': String(record.partition),
      'messaging.kafka.offset': record.offset,
    }),
  })

  const tell = (happening: Happening): void => {
    switch (happening.type) {
      case 'started':
        return tellStarted(happening)
      case 'attempt':
        return tellAttempt(happening)
      case 'ended':
        return tellEnded(happening)
    }
  }

  return {
    begin,
    attempt(instance, key) {
      const { traceparent, tracestate } = contextOf(instance)
      return { traceparent: withSpan(traceparent, spanIdOf(`${instance.id}/${key}`)), tracestate }
    },
    tell(happenings) {
      try {
        happenings.forEach(tell)
      } catch (error) {
        diag.error(String(error))
      }
    },
    within: (of, call) => context.with(below(of), call),
    request(method, from) {
      const attributes = { 'http.request.method': method }
      const span = spans.startSpan(method, { kind: SpanKind.SERVER, attributes }, below(from))
      return {
        trace: textOf(span.spanContext()),
        end({ route, status }) {
          span.setAttribute('http.response.status_code', status)
          if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route)
          if (status >= 500) span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },
  }
}

const kinds: { readonly [taskType: string]: SpanKind } = {
  'kafka-command': SpanKind.PRODUCER,
  'kafka-listener': SpanKind.CONSUMER,
  http: SpanKind.CLIENT,
}

const attributesOf = ({ workflow, version, id, key }: HappenedTo): Attributes => ({
  'dagger_worker.workflow.name': workflow,
  'dagger_worker.workflow.version': version,
  'dagger_worker.instance.id': id,
  'dagger_worker.instance.key': key,
})

const attemptAttributes = ({ path, taskType, attempt, outcome, handler }: AttemptEnded): Attributes => ({
  'dagger_worker.task.name': path,
  'dagger_worker.task.type': taskType,
  'dagger_worker.task.attempt': attempt,
  'dagger_worker.task.outcome': outcome,
  ...(handler === undefined ? {} : { 'dagger_worker.task.handler': handler }),
})

/** The code only: the text of an error may hold what a service answered. */
function end(span: Span, atMs: number, errorCode: string | undefined): void {
  if (errorCode !== undefined)
    span.setAttribute('error.type', errorCode).setStatus({ code: SpanStatusCode.ERROR, message: errorCode })
  span.end(new Date(atMs))
}

const below = (parent: TraceContext | undefined): Context =>
  parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent))

function spanContextOf({ traceparent, tracestate }: TraceContext): SpanContext {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  const traceState = tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true, ...traceState }
}

function textOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  const tracestate = traceState?.serialize()
  return tracestate === undefined || tracestate === '' ? { traceparent } : { traceparent, tracestate }
}

const withSpan = (traceparent: string, spanId: string): string =>
  `${traceparent.slice(0, '00-'.length + 32 + 1)}${spanId}${traceparent.slice(-'-00'.length)}`
