export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** undefined: it is no base64. Padding may be left out. */
export function fromBase64(text: string): Uint8Array | undefined {
  // Buffer skips what is not base64; only what comes out the same was it.
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : undefined
}
