// The one place where errors of LevelDB and of the file system become ours.
import { ConfigError, StoreCorrupted, type Problem } from '../../base/errors.ts'

/** The code that classic-level gives an error, behind abstract-level's own where it wraps one. */
export function levelCode(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as Error & { code?: unknown }
    if (typeof code === 'string' && code !== 'LEVEL_DATABASE_NOT_OPEN') return code
  }
  return undefined
}

/** The innermost message: LevelDB's own words. */
export function reasonOf(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  return at instanceof Error ? at.message : String(at)
}

/** True where a write failed because the volume or the quota is full: LevelDB hands on the text of strerror only. */
export function isDiskFull(error: unknown): boolean {
  return /no space left|ENOSPC|quota exceeded|EDQUOT/i.test(reasonOf(error))
}

/** What a failed write means, in a sentence for operators. */
export function writeProblem(error: unknown, directory: string): string {
  const reason = reasonOf(error)
  return isDiskFull(error)
    ? `disk full: the log in ${directory} cannot be written (${reason}); make room, it goes on by itself`
    : `the log in ${directory} cannot be written (${reason}); it is tried again`
}

/** An error on opening the database, as the operator can act on it. */
export function openFault(error: unknown, directory: string): ConfigError {
  if (error instanceof ConfigError) return error
  const reason = reasonOf(error)
  if (levelCode(error) === 'LEVEL_LOCKED') {
    return configError(
      'DW_DATA_IN_USE',
      `the data directory ${directory} is in use by another process: stop that one, or give this one another directory (--data)`,
    )
  }
  // A MANIFEST that points to files that are not there, or a CURRENT that points nowhere, is damage as well.
  const isDamage = error instanceof StoreCorrupted || levelCode(error) === 'LEVEL_CORRUPTION'
  if (isDamage || /no such file|not found/i.test(reason)) {
    return dataCorrupted(directory, reason)
  }
  return configError('DW_DATA_UNUSABLE', `the data directory ${directory} cannot be opened: ${reason}`)
}

export function dataCorrupted(directory: string, what: string): ConfigError {
  return configError(
    'DW_DATA_CORRUPTED',
    `the data in ${directory} is damaged (${what}). It is neither used nor repaired: put back a backup of the ` +
      'directory, or move it away to start empty',
  )
}

export function configError(code: string, message: string): ConfigError {
  const problem: Problem = { code, message }
  return new ConfigError([problem])
}
