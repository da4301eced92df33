/**
 * The UTF-8 bytes of a text that soon leaves: they lie in Node's pool, which a TextEncoder's do not (each of those is an
 * allocation outside the heap, four times as dear). What is kept for long is encoded by a TextEncoder.
 */
export const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** In the order of their UTF-8 bytes, which is not that of JavaScript's own comparison. */
export const compareUtf8 = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
