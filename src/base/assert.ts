// Assertions guard what the compiler cannot: a failed one is a bug of ours, never bad input.
import { InvariantViolation } from './errors.ts'

/**
 * Asserts an invariant of the program; the message cites its label, as in "P2: offsets only grow".
 * @throws {InvariantViolation} The runtime isolates the record that tripped it (design 4.9).
 */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantViolation(typeof message === 'string' ? message : message())
}

/** Marks a branch that the types say cannot be reached. @throws {InvariantViolation} always. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable: ${JSON.stringify(value)}`)
}
