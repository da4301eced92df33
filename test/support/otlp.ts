// A receiver of OpenTelemetry's protocol in this process: HTTP with protobuf, decoded by the official messages.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'

// As opentelemetry-proto has them, as far as they are asked for here.
const messages = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; uint32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Link links = 13; Status status = 15; fixed32 flags = 16;
}
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; }
message Status { string message = 2; uint32 code = 3; }
message Logs { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1; uint32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10;
}message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Metric { string name = 1; string unit = 3; }
`).root

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty where it has none. */
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER'
  readonly fromMs: number
  readonly toMs: number
  readonly attributes: { readonly [name: string]: unknown }
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly isError: boolean
  readonly resource: { readonly [name: string]: unknown }
}

export interface ReceivedLine {
  readonly traceId: string
  readonly spanId: string
  readonly severity: string
  readonly body: unknown
  readonly attributes: { readonly [name: string]: unknown }
}

export interface OtlpReceiver {
  readonly url: string
  readonly spans: ReceivedSpan[]
  readonly lines: ReceivedLine[]
  /** Their names and units. */
  readonly metrics: { readonly name: string; readonly unit: string }[]
  /** All that came, as it came. */
  readonly bytes: Buffer[]
  readonly paths: string[]
}

type Plain = { readonly [field: string]: any }
const kinds = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const

/** A receiver that goes with its test. */
export async function receiveOtlp(t: TestContext): Promise<OtlpReceiver> {
  const received: Omit<OtlpReceiver, 'url'> = { spans: [], lines: [], metrics: [], bytes: [], paths: [] }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const sent = Buffer.concat(chunks)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
      received.bytes.push(body)
      received.paths.push(request.url ?? '')
      if (request.url === '/v1/traces') received.spans.push(...spansOf(decode('Traces', body)))
      if (request.url === '/v1/metrics') received.metrics.push(...metricsOf(decode('Metrics', body)))
      if (request.url === '/v1/logs') received.lines.push(...linesOf(decode('Logs', body)))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { ...received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function decode(message: string, body: Buffer): Plain {
  const type = messages.lookupType(message)
  return type.toObject(type.decode(body), { longs: String, arrays: true, defaults: true })
}

function* metricsOf(sent: Plain): Generator<{ name: string; unit: string }> {
  for (const { scopeMetrics } of sent['resourceMetrics'])
    for (const { metrics } of scopeMetrics) for (const { name, unit } of metrics) yield { name, unit }
}

function* spansOf(traces: Plain): Generator<ReceivedSpan> {
  for (const { resource, scopeSpans } of traces['resourceSpans'])
    for (const { spans } of scopeSpans)
      for (const span of spans)
        yield {
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          traceState: span.traceState,
          name: span.name,
          kind: kinds[span.kind as number] ?? 'INTERNAL',
          fromMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
          toMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
          attributes: attributesOf(span.attributes),
          links: span.links.map((link: Plain) => ({ traceId: hex(link['traceId']), spanId: hex(link['spanId']) })),
          isError: span.status?.code === 2,
          resource: attributesOf(resource.attributes),
        }
}

function* linesOf(logs: Plain): Generator<ReceivedLine> {
  for (const { scopeLogs } of logs['resourceLogs'])
    for (const { logRecords } of scopeLogs)
      for (const line of logRecords)
        yield {
          traceId: hex(line.traceId),
          spanId: hex(line.spanId),
          severity: line.severityText,
          body: valueOf(line.body),
          attributes: attributesOf(line.attributes),
        }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const attributesOf = (fields: readonly Plain[]): { [name: string]: unknown } =>
  Object.fromEntries(fields.map(({ key, value }) => [key, valueOf(value)]))

function valueOf(value: Plain | undefined): unknown {
  if (value === undefined || value === null) return undefined
  if ('intValue' in value) return Number(value['intValue'])
  if ('arrayValue' in value) return value['arrayValue'].values.map(valueOf)
  if ('kvlistValue' in value) return attributesOf(value['kvlistValue'].values)
  return value['stringValue'] ?? value['boolValue'] ?? value['doubleValue']
}

/** The parts of a `traceparent`. */
export function partsOf(traceparent: string | undefined): {
  readonly traceId: string
  readonly spanId: string
  readonly flags: string
} {
  const [, traceId = '', spanId = '', flags = ''] = (traceparent ?? '').split('-')
  return { traceId, spanId, flags }
}
