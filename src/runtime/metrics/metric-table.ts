// Every metric of a worker, once: Prometheus and OpenTelemetry show the same ones, and the dashboard, the alert rules and
// the README are held against it by tests.
//
// Names as Prometheus wants them: base units at the end, `_total` for what only grows. Units by UCUM, as OpenTelemetry
// wants them. Values of labels come from operators (workflows, handlers, topics) or from lists of ours, never from
// records; how many series a metric may have is bounded in metrics.ts.
export interface MetricDefinition {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** UCUM: "s", "By", "1", "{record}". */
  readonly unit: string
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets. */
  readonly buckets: readonly number[]
}

type Of<Kind extends MetricDefinition['kind']> = MetricDefinition & { readonly kind: Kind }

const named = (name: string): string => (name.startsWith('process_') ? name : `dagger_worker_${name}`)
const counter = (name: string, unit: string, help: string, ...labels: readonly string[]): Of<'counter'> => ({
  ...{ name: `${named(name)}_total`, kind: 'counter', unit, help, labels, buckets: [] },
})
const gauge = (name: string, unit: string, help: string, ...labels: readonly string[]): Of<'gauge'> => ({
  ...{ name: named(name), kind: 'gauge', unit, help, labels, buckets: [] },
})
const histogram = (
  name: string,
  unit: string,
  buckets: readonly number[],
  help: string,
  ...labels: readonly string[]
): Of<'histogram'> => ({ ...{ name: named(name), kind: 'histogram', unit, help, labels, buckets } })

/** Seconds: of what takes milliseconds, of what may wait for others, and of what may take hours. */
const short = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const medium = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const long = [0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3_600]
const sizes = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]

export const metricTable = {
  // How it is.
  info: gauge('info', '1', 'Which worker this is; always 1.', 'app', 'worker', 'log'),
  ready: gauge('ready', '1', 'Whether the worker takes work: 1 if so.'),
  problems: gauge('problems', '{problem}', 'What an operator should know now: how many sentences GET /health has.'),
  definitionProblems: gauge('definition_problems', '{problem}', 'Problems of workflow files that were refused.'),
  partitions: gauge('partitions', '{partition}', 'Partitions that it owns, by phase.', 'phase'),
  copies: gauge('copies', '{partition}', 'Partitions of other workers that it keeps a warm copy of.'),
  applicationPartitions: gauge(
    'application_partitions',
    '{partition}',
    'Partitions of the application, whoever owns them.',
  ),
  workersHeard: gauge('workers_heard', '{worker}', 'Workers of the application heard of lately, this one included.'),
  assignments: counter('assignments', '{assignment}', 'Times that the group gave the worker its partitions anew.'),
  partitionsMoved: counter(
    'partitions_moved',
    '{partition}',
    'Partitions that the worker gained or lost.',
    'direction',
  ),
  partitionFaults: counter('partition_faults', '{fault}', 'Faults that ended what a partition did, by kind.', 'fault'),
  events: counter('events', '{event}', 'What happened since the worker started, by kind, as in GET /health.', 'event'),

  // How far behind it is.
  sourceLagRecords: gauge(
    'source_lag_records',
    '{record}',
    'Records of a source topic that are committed and not read yet, of the partitions that run here.',
    'topic',
  ),
  sourceLagSeconds: gauge(
    'source_lag_seconds',
    's',
    'Age of the oldest record of a source topic that is not read yet; 0 where all are read.',
    'topic',
  ),
  inboxLagRecords: gauge(
    'inbox_lag_records',
    '{record}',
    'Commands of other partitions that a partition has yet to read.',
    'partition',
  ),
  copyLagRecords: gauge(
    'copy_lag_records',
    '{record}',
    'Records of the changelog that a warm copy has yet to read.',
    'partition',
  ),
  commandsWaiting: gauge(
    'commands_waiting',
    '{command}',
    'Results of handlers and calls of the API that wait for the next batch of their partition.',
  ),
  timerOverdueSeconds: gauge(
    'timer_overdue_seconds',
    's',
    'How long the earliest timer has been due and has not fired.',
  ),
  timerLateness: histogram('timer_lateness_seconds', 's', medium, 'How late timers fired.'),
  restoreLeft: gauge(
    'restore_left_records',
    '{record}',
    'Records of the changelog that a partition has yet to read.',
    'partition',
  ),
  restorePerSecond: gauge(
    'restore_records_per_second',
    '{record}/s',
    'How many records a restore reads a second.',
    'partition',
  ),
  restoreSecondsLeft: gauge('restore_left_seconds', 's', 'How long a restore will take from now on.', 'partition'),
  restoreSeconds: histogram(
    'restore_seconds',
    's',
    long,
    'How long restores took, from the fence until the partition ran.',
  ),

  // What it gets done.
  sourceRecords: counter(
    'source_records',
    '{record}',
    'Records of a source topic, and of the inbox, that were read and committed.',
    'topic',
  ),
  batchInputs: histogram('batch_inputs', '{input}', sizes, 'Inputs of a batch.'),
  batchRecords: histogram(
    'batch_records',
    '{record}',
    sizes,
    'Records that a transaction wrote: values of the changelog, and what goes out.',
  ),
  decideSeconds: histogram(
    'batch_decide_seconds',
    's',
    short,
    'How long a batch was decided; the event loop stands still meanwhile.',
  ),
  commitSeconds: histogram('batch_commit_seconds', 's', short, 'How long the transaction of a batch took.'),
  storeSeconds: histogram('batch_store_seconds', 's', short, 'How long the store took to write a batch.'),
  transactions: counter(
    'transactions',
    '{transaction}',
    'Transactions of batches by what became of them: committed, refused, failed, fenced or unknown.',
    'outcome',
  ),
  instancesStarted: counter('instances_started', '{instance}', 'Instances that were started.', 'workflow'),
  instancesEnded: counter(
    'instances_ended',
    '{instance}',
    'Instances that ended, by status: COMPLETED, FAILED or STOPPED.',
    'workflow',
    'status',
  ),
  tasks: counter(
    'tasks',
    '{task}',
    'Attempts of tasks that ended, by type and by what became of them: completed, failed or retried.',
    'type',
    'outcome',
  ),

  // What waits, and for whom.
  instances: gauge(
    'instances',
    '{instance}',
    'Instances that are open, by status; told once they are counted.',
    'workflow',
    'status',
  ),
  instancesWithIncident: gauge(
    'instances_with_incident',
    '{instance}',
    'Instances that wait for a person; told once they are counted.',
    'workflow',
  ),
  instancesKept: gauge(
    'instances_kept',
    '{instance}',
    'Instances that have ended and are kept for a while; told once they are counted.',
    'workflow',
  ),
  incidents: counter(
    'incidents',
    '{incident}',
    'Incidents that were raised: tasks that failed for good, and instances that cannot go on.',
    'workflow',
  ),
  deadLetters: counter('dead_letters', '{record}', 'Records that went to the dead-letter topic.', 'reason'),
  keptRecords: gauge('kept_records', '{record}', 'Records that are kept for a listener that does not wait yet.'),
  keptBytes: gauge('kept_records_bytes', 'By', 'Their size.'),

  // Handlers.
  handlerSlots: gauge('handler_slots', '{run}', 'Handlers that may run at once.'),
  handlerRuns: gauge('handler_runs', '{run}', 'Runs that have a slot, by handler.', 'handler'),
  handlerRunsWaiting: gauge('handler_runs_waiting', '{run}', 'Runs that wait for a slot, by handler.', 'handler'),
  handlerSeconds: histogram(
    'handler_run_seconds',
    's',
    medium,
    'How long handlers ran, by what became of it: completed, retryable, failed or aborted.',
    'handler',
    'outcome',
  ),

  // The API.
  httpSeconds: histogram(
    'http_request_seconds',
    's',
    short,
    'How long requests took; those that wait for a change wait that long.',
    'method',
    'route',
    'status',
  ),

  // The process and its machine.
  eventLoopDelay: histogram(
    'event_loop_delay_seconds',
    's',
    short,
    'The longest time that the event loop stood still in each five seconds.',
  ),
  eventLoopActive: counter(
    'event_loop_active_seconds',
    's',
    'How long the event loop was busy: a rate near 1 is all that one worker can do.',
  ),
  cpuSeconds: counter('process_cpu_seconds', 's', 'Processor time of the process, all threads.'),
  residentBytes: gauge('process_resident_memory_bytes', 'By', 'Memory of the process.'),
  heapBytes: gauge('process_heap_bytes', 'By', 'Of that, what JavaScript uses.'),
  startedAt: gauge('process_start_time_seconds', 's', 'When the process started, in seconds since 1970.'),
  dataBytes: gauge('data_directory_bytes', 'By', 'Size of the files in the data directory.'),
  volumeFreeBytes: gauge('data_volume_free_bytes', 'By', 'What is free on the volume of the data directory.'),
  volumeBytes: gauge('data_volume_bytes', 'By', 'Size of that volume.'),
} as const satisfies { readonly [name: string]: MetricDefinition }

export type MetricName = keyof typeof metricTable
/** The metrics of one kind. */
export type MetricOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['kind'] extends Kind ? Name : never
}[MetricName]
