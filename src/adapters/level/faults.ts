// The one place where errors of LevelDB become ours.
import { ConfigError, StoreCorrupted, TransientFault } from '../../base/errors.ts'

/** An error on opening a store. What cannot be read can be restored, so only surroundings are the operator's. */
export function openFault(error: unknown, directory: string): Error {
  if (error instanceof ConfigError) return error
  if (error instanceof StoreCorrupted) {
    return new StoreCorrupted(`the store in ${directory} is damaged: ${error.message}`, { cause: error })
  }
  const { code, reason } = innermost(error)
  if (code === 'LEVEL_LOCKED') {
    return configError(
      'DW_DATA_IN_USE',
      `the data directory ${directory} is in use by another process: stop that one, or give this one another directory (--data)`,
    )
  }
  if (code === 'LEVEL_CORRUPTION' || /no such file|not found/i.test(reason)) {
    return new StoreCorrupted(`the store in ${directory} is damaged: ${reason}`, { cause: error })
  }
  if (/no space left|quota exceeded/i.test(reason)) {
    return new TransientFault(`disk full: the store in ${directory} cannot be opened: ${reason}`, { cause: error })
  }
  return configError('DW_DATA_UNUSABLE', `the data directory ${directory} cannot be opened: ${reason}`)
}

/** An error on reading or writing an open store. */
export function useFault(error: unknown, directory: string): Error {
  if (error instanceof StoreCorrupted) return error
  const { code, reason } = innermost(error)
  if (code === 'LEVEL_CORRUPTION')
    return new StoreCorrupted(`the store in ${directory} is damaged: ${reason}`, { cause: error })
  const isDiskFull = /no space left|quota exceeded/i.test(reason)
  return new TransientFault(`${isDiskFull ? 'disk full: ' : ''}the store in ${directory}: ${reason}`, { cause: error })
}

export function configError(code: string, message: string): ConfigError {
  return new ConfigError([{ code, message }])
}

/** abstract-level wraps the error of the database that it runs on. */
function innermost(error: unknown): { code: unknown; reason: string } {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  if (!(at instanceof Error)) return { code: undefined, reason: String(at) }
  return { code: 'code' in at ? at.code : undefined, reason: at.message }
}
