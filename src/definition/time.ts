// Times are RFC 3339, as in 2026-01-31T06:00:00Z or with an offset.
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Milliseconds since 1970 of an RFC 3339 text; undefined where it is not one. */
export function parseTime(text: string): number | undefined {
  if (!rfc3339.test(text)) return undefined
  const ms = Date.parse(text.replace(' ', 'T').toUpperCase())
  return Number.isNaN(ms) ? undefined : ms
}

/** RFC 3339 of milliseconds since 1970, in UTC: whole seconds have no fraction. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
