// OpenTelemetry, as the standard OTEL_* variables have it: its SDK reads them. Imported only where a worker is started
// with `--otel`: without it none of this is loaded.
//
//   traces   tracer.ts makes spans of what has happened
//   logs     log-lines.ts gives on every line of the log
//   metrics  metrics.ts registers the worker's table with the meter provider, which is set up with the others
//
// A collector that is away costs what OpenTelemetry's queues hold (OTEL_BSP_MAX_QUEUE_SIZE spans), and a warning.
import { readFileSync } from 'node:fs'
import { diag, DiagLogLevel, isSpanContextValid, logs, trace } from '@opentelemetry/api'
import {
  defaultResource,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import type { Logger } from '../../base/logger.ts'
import type { Tracer } from '../../base/tracing.ts'
import { limits } from '../../base/limits.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import { Diagnostics } from './diagnostics.ts'
import { DerivedIds } from './derived-ids.ts'
import { emitLine } from './log-lines.ts'
import { registerMetrics } from './metrics.ts'
import { createTracer } from './tracer.ts'

export interface TelemetryOptions {
  readonly workerId: string
  /** As attributes of messages name it. */
  readonly messagingSystem: 'kafka' | 'dagger_worker'
  /** Told what keeps telemetry from being told. */
  readonly logger: Logger
  readonly nowMs: () => number
}

export interface Telemetry {
  /** undefined: OTEL_TRACES_EXPORTER is none, or OTEL_SDK_DISABLED is true. */
  readonly tracer: Tracer | undefined
  /** Gives on a line of the log, which is JSON. */
  writeLine(line: string): void
  /** Gives on what is counted and measured from now on. */
  watch(metrics: Metrics): void
  /** Sends what is left, within a bound. */
  stop(): Promise<void>
}

// The same three steps up from the sources and from what is compiled.
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
)

/** Sets up OpenTelemetry in this process, once. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { workerId, messagingSystem, logger, nowMs } = options
  const ids = new DerivedIds()
  const diagnostics = new Diagnostics(logger, nowMs)
  const hear = (): boolean =>
    diag.setLogger(diagnostics, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  hear()
  const sdk = new NodeSDK({
    idGenerator: ids,
    // The usual ones, but for the one that would give the instance a random id.
    ...(process.env['OTEL_NODE_RESOURCE_DETECTORS'] === undefined
      ? { resourceDetectors: [processDetector, hostDetector, osDetector, envDetector] }
      : {}),
    // Below what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say.
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': 'dagger-worker',
        'service.version': version,
        'service.instance.id': workerId,
      }),
    ),
  })
  // With OTEL_LOG_LEVEL it has put one of its own there, which writes to stdout.
  hear()
  sdk.start()
  diagnostics.setUp()
  const spans = trace.getTracer('dagger-worker', version)
  const isTraced = isSpanContextValid(spans.startSpan('probe').spanContext())
  const lines = logs.getLogger('dagger-worker', version)
  return {
    tracer: isTraced ? createTracer({ spans, ids, messagingSystem, nowMs }) : undefined,
    writeLine: (line) => emitLine(lines, line),
    watch: (metrics) => void registerMetrics(metrics),
    async stop() {
      const late = new AbortController()
      const timeUp = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limits.telemetryFlushMs)
        late.signal.addEventListener('abort', () => clearTimeout(timer))
      })
      const stopped = sdk.shutdown().catch((error: unknown) => diagnostics.error(String(error)))
      await Promise.race([stopped, timeUp])
      late.abort()
    },
  }
}
