// What authors of handlers and embedders import from 'dagger-worker'. Nothing else is public.
export { startWorker, type EmbeddedWorker, type WorkerOptions, type WorkerSettings } from './embed.ts'
export { ConfigError, RetryableFailure, TerminalFailure, type Problem } from './base/errors.ts'
export type { Handler, HandlerStop, HandlerTaskInput } from './handlers/contract.ts'
export {
  Unavailable,
  type Action,
  type ActionAnswer,
  type InstanceFilter,
  type InstancePage,
  type InstanceView,
  type OnUpdate,
  type StartAnswer,
  type StartRequest,
  type Update,
  type UpdateData,
  type WorkerView,
} from './runtime/face.ts'
