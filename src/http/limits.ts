// What bounds the doors of the HTTP API, each with its reason. What bounds the data behind them is in base/limits.ts.
export const httpLimits = {
  /** A few records of the largest size; bulk goes in several calls. */
  bodyBytesMax: 2 * 1_048_576,
  /** Records of one `POST /topics/{topic}`: bounds the transaction and the answer. */
  recordsProducedMax: 10_000,
  /** Records of one answer. */
  recordsReadMax: 1_000,
  recordsReadDefault: 100,
  instancesListedMax: 1_000,
  instancesListedDefault: 50,
  /** Timers, subscriptions, kept records, entries of a timeline. */
  itemsListedMax: 1_000,
  itemsListedDefault: 50,
  deadLettersListedMax: 1_000,
  deadLettersListedDefault: 50,
  /** Each is a transaction of its own. */
  deadLettersRedrivenMax: 1_000,
  deadLettersRedrivenDefault: 100,
  /** Instances of one operation: their ids are in memory until it is over. */
  operationInstancesMax: 100_000,
  /** Actions of one operation that wait for their commit: a fraction of a batch, so that others have their turn. */
  operationActionsAtOnce: 64,
  operationsAtOnce: 8,
  /** That are over, too. */
  operationsKept: 100,
  operationRefusalsMax: 20,
  /** Less than another worker is given to answer. */
  operationWaitMsMax: 15_000,
  /** Proxies and clients give up after a minute or so: an answer, even an empty one, comes well before. */
  waitMsMax: 30_000,
  /** For another worker to answer what was passed on to it: longer than a call may wait for news. */
  passedOnMs: 45_000,
  /** For another worker to answer a question that is put to all. */
  peerAnswerMs: 20_000,
  /** Each waiting call holds a socket and a place in the worker's queue. */
  longPollsMax: 1_000,
  /** Requests that are not answered yet, those that wait for news among them: what they hold in memory is bounded. */
  requestsInFlightMax: 2_000,
  /** Calls by who is not known that are answered and logged, of one address a minute. */
  failedAttemptsMax: 60,
  /** Addresses that they are counted for. */
  failingAddressesMax: 10_000,
  /** Tokens and certificates that are exchanged count that soon. */
  filesLookedAtEveryMs: 5_000,
  /** Streams of events, each with a socket and what it has not read yet. */
  streamsMax: 200,
  /** What a client may have to read before it is cut: it is too slow, or gone without a word. */
  streamBufferedBytesMax: 262_144,
  /** Proxies cut what is silent for a minute or so. */
  streamHeartbeatMs: 15_000,
  /** After how long a client comes back. */
  streamRetryMs: 2_000,
  /** Changes that follow each other are told together, and so many at most. */
  streamFlushMs: 250,
  streamPendingMax: 1_000,
  /** For a request to arrive as a whole, once its first byte has: slow senders do not hold sockets for ever. */
  requestArrivalMs: 30_000,
  /** For answers under way when the server closes; what is left then is cut off. */
  closeGraceMs: 5_000,
  /** A name or key in a path, percent-encoded. Node bounds the whole head of a request at 16 KiB. */
  pathPartMax: 8_192,
  /** Violations listed in one problem: the answer stays readable. */
  violationsMax: 20,
} as const
