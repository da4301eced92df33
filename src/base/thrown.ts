// What strangers' code threw, made into data: it may be anything, and even to look at it may throw.

/** What a thrown object says of its retry, where that is plain data. */
export interface RetryHints {
  readonly code?: string
  readonly retryable?: boolean
  readonly retryAfterMs?: number
}

/** What a thrown object says of its retry; what is of another kind says nothing. */
export function retryHintsOf(thrown: unknown): RetryHints {
  if (typeof thrown !== 'object' || thrown === null) return {}
  try {
    const { code, retryable, retryAfterMs } = thrown as { code?: unknown; retryable?: unknown; retryAfterMs?: unknown }
    return {
      ...(typeof code === 'string' && code !== '' ? { code } : {}),
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
    }
  } catch {
    return {}
  }
}

/** The text of whatever was thrown. */
export function thrownText(thrown: unknown): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown
    return typeof text === 'string' ? text : 'the handler threw something that is not an Error'
  } catch {
    return 'the handler threw something that cannot be read'
  }
}
