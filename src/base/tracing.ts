// Traces, as the rooms speak of them (adapters/telemetry tells OpenTelemetry). Nothing is open while an instance waits:
// ids of spans are derived from what they are of, so that a record that is sent can name the span of the task that sent
// it, and that span is made when the attempt is over, with the times that the state has.
//
//   Tracing   what goes on from an instance and from an attempt of a task: pure, the same for the same input (I11)
//   Tracer    hears what happened, after its commit (P6), and gives what runs now the context of its span

/** W3C Trace Context, as headers have it. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string | undefined
}

export interface Tracing {
  /** What goes on from an instance that starts, which names its start. `from`: what it was started by. */
  begin(instanceId: string, from: TraceContext | undefined): TraceContext
  /** What goes on from an attempt, which `key` tells from all others of its instance. */
  attempt(instance: TracedInstance, key: string): TraceContext
}

export interface TracedInstance {
  readonly id: string
  /** As it was begun; undefined: it was begun with no tracing. */
  readonly traceparent: string | undefined
  readonly tracestate?: string | undefined
}

/** The instance that something happened to. */
export interface HappenedTo extends TracedInstance {
  readonly workflow: string
  readonly version: string
  readonly key: string
}

/** A record, for those who look for it. */
export interface TracedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What becomes a span. Names, ids and times only: no payload, no text of an error. */
export type Happening = InstanceStarted | AttemptEnded | InstanceEnded

export interface InstanceStarted {
  readonly type: 'started'
  readonly instance: HappenedTo
  readonly by: 'record' | 'api' | 'parent' | 'schedule'
  readonly from: TraceContext | undefined
  readonly record: TracedRecord | undefined
  readonly atMs: number
}

export interface AttemptEnded {
  readonly type: 'attempt'
  readonly instance: HappenedTo
  /** As `Tracing.attempt` was given it. */
  readonly key: string
  readonly task: string
  /** With the items around it: "each[3].charge". */
  readonly path: string
  readonly taskType: string
  /** Of a handler task: the module. */
  readonly handler: string | undefined
  readonly attempt: number
  readonly fromMs: number
  readonly toMs: number
  readonly outcome: 'completed' | 'failed' | 'skipped' | 'stopped'
  readonly errorCode: string | undefined
  /** Of a kafka-command and a kafka-listener. */
  readonly topic: string | undefined
  /** The record that a listener took, and what it was sent by. */
  readonly record: TracedRecord | undefined
  readonly link: TraceContext | undefined
}

export interface InstanceEnded {
  readonly type: 'ended'
  readonly instance: HappenedTo
  readonly fromMs: number
  readonly toMs: number
  readonly status: 'COMPLETED' | 'FAILED' | 'STOPPED'
  readonly errorCode: string | undefined
}

export interface Tracer extends Tracing {
  /** Makes spans of what is committed. Never throws, never waits. */
  tell(happenings: readonly Happening[]): void
  /** Runs a function as what happens within a span: what is instrumented in it hangs below. */
  within<Result>(trace: TraceContext, call: () => Result): Result
  /** A span around a call of the HTTP API, under way from now on. */
  request(method: string, from: TraceContext | undefined): RequestSpan
}

export interface RequestSpan {
  readonly trace: TraceContext
  end(answer: { readonly route: string | undefined; readonly status: number }): void
}

const parentForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
const stateForm = /^[ -~\t]{1,512}$/

/** The context that two headers give. Anything else is a stranger's text of any size, and is not carried on. */
export function traceContextOf(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || !parentForm.test(traceparent)) return undefined
  if (typeof tracestate !== 'string' || !stateForm.test(tracestate)) return { traceparent }
  return { traceparent, tracestate }
}

/** As headers of a call. */
export function traceHeaders(trace: TraceContext | undefined): { readonly [name: string]: string } {
  if (trace === undefined) return {}
  const { traceparent, tracestate } = trace
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/** As fields of a log line: those that OpenTelemetry names. */
export function traceFields({ traceparent }: TraceContext): object {
  const [, traceId, spanId, flags] = traceparent.split('-')
  return { trace_id: traceId, span_id: spanId, trace_flags: flags }
}
