// Lines of the log as OpenTelemetry's log records, with the span that they were written in.
import { isSpanContextValid, ROOT_CONTEXT, SeverityNumber, trace, TraceFlags, type logs } from '@opentelemetry/api'

type LogEmitter = ReturnType<typeof logs.getLogger>
type Fields = Parameters<LogEmitter['emit']>[0]['attributes']

const severities: { readonly [level: string]: SeverityNumber } = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
}

/** @param line JSON, as the logger writes it; whoever logs may name its fields as he likes */
export function emitLine(emitter: LogEmitter, line: string): void {
  const { level, time, msg, pid: _pid, hostname: _host, trace_id, span_id, trace_flags, ...fields } = JSON.parse(line)
  const span = {
    traceId: String(trace_id),
    spanId: String(span_id),
    traceFlags: Number.parseInt(String(trace_flags), 16) || TraceFlags.NONE,
  }
  emitter.emit({
    timestamp: new Date(time),
    severityText: String(level),
    severityNumber: severities[level] ?? SeverityNumber.UNSPECIFIED,
    body: msg,
    attributes: fields as NonNullable<Fields>,
    context: isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT,
  })
}
