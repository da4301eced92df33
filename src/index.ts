// What authors of handlers import from 'dagger-worker'. Nothing else is public.
export { RetryableFailure, TerminalFailure } from './base/errors.ts'
export type { Handler, HandlerStop, HandlerTaskInput } from './handlers/contract.ts'
