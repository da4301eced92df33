// Which role a call needs: reading needs `read`, all else `operate`, and probes none. The one place that says so.
import type { Role } from '../config/access-file.ts'

/** Probes carry no token, and learn nothing but yes or no. */
const openToAll: ReadonlySet<string> = new Set(['/service/ready', '/service/live'])
const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @param route as it was declared; undefined: there is none */
export function roleFor(method: string, route: string | undefined): Role | 'none' {
  if (!reading.has(method)) return 'operate'
  return method !== 'OPTIONS' && route !== undefined && openToAll.has(route) ? 'none' : 'read'
}

/** Who may operate may read. */
export const mayDo = (role: Role, needed: Role): boolean => role === needed || role === 'operate'

/** Nothing changes by it, so that nobody has to answer for it. */
export const isReading = (method: string): boolean => reading.has(method)
