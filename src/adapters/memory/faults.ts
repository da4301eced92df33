// Translates what the memory broker and the pace answer into the faults of the port.
import { PartitionFenced, RecordRefused, TransientFault } from '../../base/errors.ts'
import { BrokerError } from './broker-error.ts'
import { LostAnswer } from './pace.ts'

/** True when the client was left without a definite answer. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof LostAnswer || error instanceof TransientFault
}

/** The fault of a request that failed; `index` is where its batch's records stand in the list of `transact`. */
export function faultOf(error: unknown, index: (recordIndex: number) => number = () => 0): unknown {
  if (error instanceof LostAnswer) return new TransientFault(error.message, { cause: error })
  if (!(error instanceof BrokerError)) return error
  switch (error.code) {
    case 'PRODUCER_FENCED':
    case 'INVALID_PRODUCER_ID_MAPPING':
      return new PartitionFenced(error.message, { cause: error })
    case 'MESSAGE_TOO_LARGE':
      return new RecordRefused(index(error.recordIndex), 'record-too-large', error.message)
    case 'INVALID_RECORD':
      return new RecordRefused(index(error.recordIndex), 'invalid-record', error.message)
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'OFFSET_OUT_OF_RANGE':
    case 'INVALID_TXN_STATE':
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
    case 'CONCURRENT_TRANSACTIONS':
    case 'NOT_COORDINATOR':
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'NOT_ENOUGH_REPLICAS':
      return new TransientFault(error.message, { cause: error })
  }
}
