import { userInfo } from 'node:os'

/** Who types, for the history, where they do not say. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'cli'
  }
}
