// What is done about a fault: one exhaustive switch. Adapters translate their clients' errors into these kinds, each in
// one file; anything that is none of them is a bug of ours.
import {
  ChangelogReplaced,
  ConfigError,
  InvariantViolation,
  OutcomeUnknown,
  PartitionFenced,
  RecordRefused,
  StoreCorrupted,
  TransientFault,
  type Fault,
} from '../base/errors.ts'

export type Cure =
  /** Start over, after a while: initialise the same transactional id, replay from the stored position. */
  | 'reopen'
  /** Delete the store, then start over. */
  | 'rebuild'
  /** Start over only if the group confirms that the partition is ours; else let go, flush nothing. */
  | 'confirm'
  /** A person has to look: the partition stops, the worker goes on. */
  | 'stop'

export function cureOf(fault: Fault): Cure {
  switch (fault.kind) {
    case 'transient':
      return 'reopen'
    // Initialising fences whoever is there: a zombie must not fence the rightful owner.
    case 'outcome-unknown':
    case 'fenced':
      return 'confirm'
    case 'store-corrupted':
      return 'rebuild'
    case 'changelog-replaced':
    case 'record-refused':
    case 'invariant':
      return 'stop'
  }
}

/** Anything that was thrown, as a fault. */
export function faultOf(error: unknown): Fault {
  if (
    error instanceof TransientFault ||
    error instanceof OutcomeUnknown ||
    error instanceof PartitionFenced ||
    error instanceof StoreCorrupted ||
    error instanceof ChangelogReplaced ||
    error instanceof RecordRefused ||
    error instanceof InvariantViolation
  ) {
    return error
  }
  return new InvariantViolation(error instanceof Error ? error.message : String(error), { cause: error })
}

/** What happened, in words, with the code where there is one: it tells what to do. */
export function reasonOf(fault: Fault): string {
  const coded =
    fault instanceof ChangelogReplaced ? fault : fault.cause instanceof ConfigError ? fault.cause : undefined
  return coded === undefined ? fault.message : `${coded.code}: ${fault.message}`
}
