// What Kafka's error codes mean, and how they become the faults of the port: the one file that knows.
// A refusal is passing (asked again in here, until it takes too long), about one record, about our right to produce, or
// of another kind; whether something was produced is not to be read from a code: producer.ts knows what it has sent.
import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'
import { PartitionFenced, RecordRefused, TransientFault } from '../../base/errors.ts'

/** "NOT_LEADER_OR_FOLLOWER"; undefined when all is well. */
export type KafkaError = string

export function errorOf(code: number): KafkaError | undefined {
  return code === 0 ? undefined : (protocolErrorsCodesById[code] ?? `ERROR_${code}`)
}

/** What brokers ask a right for, as `kafka-acls.sh --operation` has it. */
export type Operation = 'Create' | 'Delete' | 'Describe' | 'Read' | 'Write'

/** Of what there is one use only. */
const rights: Readonly<Record<KafkaError, string>> = {
  GROUP_AUTHORIZATION_FAILED: 'Read on the group',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'Write on the transactional id',
}

/** In words, with the code's name to search for, and the right that is missing. @param operation what was wanted of a topic */
export function describe(error: KafkaError, operation?: Operation): string {
  const known = protocolErrors[error]
  if (known === undefined) return error
  const right = error === 'TOPIC_AUTHORIZATION_FAILED' && operation ? `${operation} on the topic` : rights[error]
  const wants = right === undefined ? '' : `: this worker's user needs ${right}`
  return `${known.message.replace(/\.$/, '')} (${error})${wants}`
}

const leaderMoves: ReadonlySet<KafkaError> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'BROKER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
])

/** Another broker, or the same one soon, will do: look up who leads. */
export const isLeaderMove = (error: KafkaError): boolean => leaderMoves.has(error)

const appendsLater: ReadonlySet<KafkaError> = new Set([
  'NOT_ENOUGH_REPLICAS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'THROTTLING_QUOTA_EXCEEDED',
])

/** Refused for now, and not appended. */
export const isNotAppendedYet = (error: KafkaError): boolean => leaderMoves.has(error) || appendsLater.has(error)

/** Appended here, but not known to be durable: for one who counts his batches it is safe to repeat. */
export const isPerhapsAppended = (error: KafkaError): boolean =>
  error === 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' || error === 'REQUEST_TIMED_OUT' || error === 'NETWORK_EXCEPTION'

/** We may not do that with this topic. */
export const isForbidden = (error: KafkaError): boolean => error === 'TOPIC_AUTHORIZATION_FAILED'

/** The coordinator is another broker by now, or not ready. */
export const isCoordinatorMove = (error: KafkaError): boolean =>
  error === 'NOT_COORDINATOR' || error === 'COORDINATOR_NOT_AVAILABLE' || error === 'COORDINATOR_LOAD_IN_PROGRESS'

/** Somebody newer has our transactional id, or the broker has ended our transaction: the same to us. */
export const isFenced = (error: KafkaError): boolean =>
  error === 'PRODUCER_FENCED' || error === 'INVALID_PRODUCER_EPOCH' || error === 'INVALID_PRODUCER_ID_MAPPING'

const refusals: Readonly<Record<KafkaError, string>> = {
  MESSAGE_TOO_LARGE: 'record-too-large',
  RECORD_LIST_TOO_LARGE: 'record-too-large',
  UNKNOWN_TOPIC_OR_PARTITION: 'unknown-topic',
  INVALID_TOPIC_EXCEPTION: 'unknown-topic',
  TOPIC_AUTHORIZATION_FAILED: 'not-authorised',
  INVALID_RECORD: 'invalid-record',
  INVALID_TIMESTAMP: 'invalid-record',
}

/** Why a record is refused for good; undefined when the error is not about a record. */
function refusalOf(error: KafkaError): string | undefined {
  return Object.hasOwn(refusals, error) ? refusals[error] : undefined
}

/** The fault of a produced record or batch; `index` is where its record stands in the caller's list. */
export function recordFault(
  error: KafkaError,
  index: number,
  where: string,
): RecordRefused | PartitionFenced | TransientFault {
  const reason = refusalOf(error)
  if (reason !== undefined) return new RecordRefused(index, reason, `${where}: ${describe(error, 'Write')}`)
  return faultOf(error, where, 'Write')
}

/** The fault of a request that was answered by an error. @param operation what was wanted of a topic */
export function faultOf(error: KafkaError, where: string, operation?: Operation): PartitionFenced | TransientFault {
  const message = `${where}: ${describe(error, operation)}`
  return isFenced(error) ? new PartitionFenced(message) : new TransientFault(message)
}

/** The fault of a request that changes nothing, and was not answered. */
export function unanswered(error: Error, where: string): TransientFault {
  return new TransientFault(`${where}: ${error.message}`, { cause: error })
}
