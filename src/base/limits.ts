// Every queue, loop and payload has an end, with its reason.
export const limits = {
  /** Follow-up commands of one input: a longer chain in one batch is a cycle or a bug of ours. */
  followUpsMax: 100_000,
  /** Inputs decided in one batch: bounds the transaction, the time to the first effect, and how long nothing else runs. */
  batchInputsMax: 250,
  /** Inputs that a worker has decided and not committed: full batches of eight partitions keep its thread busy meanwhile. */
  uncommittedInputsMax: 2_000,
  /** A commit that takes longer holds up no other partition. */
  commitPatienceMs: 500,
  /** Bytes staged in one batch before it is closed: well under a broker's request limit. */
  batchBytesMax: 8 * 1_048_576,
  /** Kafka's default `max.message.bytes`. */
  recordBytesMax: 1_048_576,
  /** A record of a source topic, key and headers included: with its envelope it still fits between partitions. */
  sourceRecordBytesMax: 1_048_576 - 8_192,
  /** An input or output kept in the state: below the record limit, with room for the rest of its value. */
  payloadBytesMax: 786_432,
  /** A payload larger than this is a value of its own, so that the instance's value stays small. */
  payloadInlineBytesMax: 8_192,
  /** All variables of an instance: they are rewritten with each of its events. */
  varsBytesMax: 65_536,
  /** The text of a search attribute: it is part of a key, and of the instance's row. */
  attributeBytesMax: 256,
  /** Records kept for one value: they share a row that lists them. */
  keptPerValueMax: 1_000,
  /** Listeners that wait for one value and share its row; those that come beyond them have a row each. */
  waitersInRowMax: 4,
  /** A listener that has waited longer than others goes before so many of them: clocks that differ make it late. */
  crowdStepsMax: 1_000,
  /** Waiters that one command gives a record for all to: with their names it is no larger than a record may be. */
  handedToMax: 64,
  /** So many where it is small; a few inputs make a batch of thousands of instances otherwise. */
  handedToMin: 4,
  /** One more for each so many bytes of it: a large record is copied less often, and a batch holds fewer of them. */
  handedToBytes: 4_096,
  /** Business keys and correlation values, in characters. */
  keyLengthMax: 1_024,
  /** Inline payloads of one instance together; what comes beyond is a value of its own. */
  inlineBytesMax: 131_072,
  /** Nesting of a record's JSON: deeper is an attack or a mistake, and recursive code must not meet it. */
  jsonDepthMax: 100,
  /** Timeline entries kept in an instance: the latest are kept, what was dropped is counted. */
  timelineEntriesMax: 200,
  /** Signals that wait in an instance for a task, and their payloads together. */
  signalsMax: 100,
  signalsBytesMax: 262_144,
  /** Items that one `for-each` runs. */
  itemsMax: 100_000,
  /** Runs of one attempt that were cut short by a death or a move: one more counts as a failed attempt. */
  runsCutShortMax: 5,
  /** Kept (buffered) records a partition holds; the oldest goes first. */
  keptRecordsMax: 100_000,
  keptBytesMax: 256 * 1_048_576,
  /** Instances looked at to count those of each version: a call ends, and says how far it came. */
  instancesCountedMax: 50_000,
  /** Versions of a workflow listed in one answer. */
  versionsListedMax: 1_000,
  /** Starts that wait for the instance of one key to end: each is a value of its own, listed by the key. */
  queuedStartsMax: 100,
  /** A due time that no worker looked at for so long is late, not missed; clocks differ by less. */
  scheduleLateMs: 60_000,
  /** Due times of a schedule that are looked at in one decision: what there is beyond is looked at in the next. */
  scheduleTimesMax: 100,
  /** Handlers that run at once in one worker. */
  handlersPerWorkerMax: 64,
  /** Handlers that run in threads at once; fewer where the machine has fewer processors. */
  handlerThreadsMax: 8,
  /** How long a thread may take to end by itself once nobody waits for it any more. */
  handlerThreadGraceMs: 5_000,
  /** What a worker that stops waits for its last spans and lines to be taken. */
  telemetryFlushMs: 5_000,
  /** Of a text in an update: with the key and the names in it, an update is far smaller than any topic allows. */
  updateTextMax: 2_000,
  /** After the updates' topic refused one: until then the partition goes on without. */
  updatesHeldBackMs: 30_000,
  /** What a message quotes of an answer or of a failure that is not ours. */
  errorTextMax: 300,
  /** Handler attempt when the task names no timeout: a hung handler must end somewhere. */
  handlerTimeoutMs: 5 * 60_000,
  /** A partition with timers looks at the clock so often, which may be set, or its machine sleep: less than is late. */
  sleepMsMax: 30_000,
  /** A store that has not answered for so long never will: the slowest stall of LevelDB that was seen took seconds. */
  stuckAfterMs: 120_000,
  /** Due times held in memory; what is due later stays in the store until its turn. */
  timersInMemoryMax: 20_000,
  /** Due times read from the store together: all partitions may run out of them at the same moment. */
  timersReadAtOnce: 2_000,
  /** Decoded values kept in memory by a worker that owns all partitions, as far as their size can be told. */
  cachedBytesMax: 96 * 1_048_576,
  /** How long an Idempotency-Key is remembered. */
  idempotencyKeptMs: 24 * 3_600_000,
  /** API calls waiting for their partition's commit. */
  apiCallsWaitingMax: 10_000,
  /** One workflow file. */
  definitionBytesMax: 262_144,
  /** YAML: aliases counted before anything is expanded; nesting. */
  yamlAliasesMax: 50,
  yamlDepthMax: 64,
  /** Problems shown of one run of checks. */
  problemsMax: 200,
} as const
