// Lines of the log as OpenTelemetry's log records, with the span that they were written in.
import { ROOT_CONTEXT, SeverityNumber, trace, type logs } from '@opentelemetry/api'

type LogEmitter = ReturnType<typeof logs.getLogger>
type Fields = Parameters<LogEmitter['emit']>[0]['attributes']

const severities: { readonly [level: string]: SeverityNumber } = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
}

/** @param line JSON, as the logger writes it */
export function emitLine(emitter: LogEmitter, line: string): void {
  const { level, time, msg, pid: _pid, hostname: _host, trace_id, span_id, trace_flags, ...fields } = JSON.parse(line)
  emitter.emit({
    timestamp: new Date(time),
    severityText: level,
    severityNumber: severities[level] ?? SeverityNumber.UNSPECIFIED,
    body: msg,
    attributes: fields as NonNullable<Fields>,
    context:
      trace_id === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: trace_id,
            spanId: span_id,
            traceFlags: Number.parseInt(trace_flags, 16),
          }),
  })
}
