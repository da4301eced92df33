// Errors that nobody waits for. A promise that a handler forgot must not end the daemon: it is told and the rest goes on.
// An exception outside of any promise may have left anything half done: it is told, and the process ends; what was
// committed is there when it comes back.
import type { Logger } from '../../base/logger.ts'

/** Takes care of stray errors of this process until the result is called. */
export function watchStrayErrors(logger: Logger): () => void {
  const onRejection = (reason: unknown): void => {
    const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
    logger.error(
      { error },
      'a promise failed that nobody waits for, most likely in a handler: await it, or catch its errors',
    )
  }
  const onException = (error: Error): void => {
    logger.error({ error: error.stack ?? error.message }, 'an error outside of any promise: the worker ends')
    process.exit(1)
  }
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtException', onException)
  return () => {
    process.off('unhandledRejection', onRejection)
    process.off('uncaughtException', onException)
  }
}
