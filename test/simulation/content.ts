// Keys and values as a plan holds them: data that can be printed and shrunk, whatever the bytes are.

export type Content =
  | string
  /** None: a record with no key, or a tombstone. */
  | null
  /** Bytes that are no text. */
  | { readonly base64: string }
  /** Too long to be written out: `repeated` so many times, between a head and a tail. */
  | { readonly head: string; readonly repeated: string; readonly times: number; readonly tail: string }

export function bytesOf(content: Content): Buffer | null {
  if (content === null) return null
  if (typeof content === 'string') return Buffer.from(content)
  if ('base64' in content) return Buffer.from(content.base64, 'base64')
  const { head, repeated, times, tail } = content
  return Buffer.from(`${head}${repeated.repeat(times)}${tail}`)
}
