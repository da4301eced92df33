/** What the broker answers when it refuses; the names are those of Kafka's protocol errors. */
export type BrokerErrorCode =
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'OFFSET_OUT_OF_RANGE'
  | 'MESSAGE_TOO_LARGE'
  | 'INVALID_RECORD'
  | 'PRODUCER_FENCED'
  | 'INVALID_PRODUCER_ID_MAPPING'
  | 'INVALID_TXN_STATE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'CONCURRENT_TRANSACTIONS'
  | 'NOT_COORDINATOR'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'NOT_ENOUGH_REPLICAS'

/** A definite answer of the broker: the request was not carried out. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode
  /** Which record of the batch was refused, where it was one. */
  readonly recordIndex: number
  constructor(code: BrokerErrorCode, message: string, recordIndex = 0) {
    super(message)
    this.code = code
    this.recordIndex = recordIndex
  }
}
