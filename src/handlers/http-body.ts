// The body of an answer: bounded, and JSON where its content type says so. What is compressed counts as what it becomes.
import { RetryableFailure, TerminalFailure } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { limits } from '../base/limits.ts'

/** @throws {TerminalFailure} `payload-too-large`. @throws {RetryableFailure} `http-error`: it is not what it says. */
export async function readBody(response: Response): Promise<Json> {
  const { bytes, isWhole } = await readBytes(response, limits.payloadBytesMax)
  if (!isWhole) {
    const message = `the answer has more than ${limits.payloadBytesMax} bytes, which is all that can be kept`
    throw new TerminalFailure(message, { code: 'payload-too-large' })
  }
  const type = response.headers.get('content-type') ?? ''
  const text = decode(bytes, type)
  if (!/^[^;]*[/+]json\s*(?:;|$)/i.test(type)) return text
  if (text.trim() === '') return null
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new RetryableFailure(`the answer says that it is ${type}, and is not`, { code: 'http-error' })
  }
}

/** How it begins, for a message. */
export async function readStart(response: Response): Promise<string> {
  const { bytes } = await readBytes(response, limits.errorTextMax)
  return decode(bytes, response.headers.get('content-type') ?? '')
}

async function readBytes(response: Response, max: number): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let left = max
  // Leaving the loop gives up the rest.
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk.subarray(0, left))
    left -= chunk.length
    if (left < 0) break
  }
  return { bytes: Buffer.concat(chunks), isWhole: left >= 0 }
}

function decode(bytes: Uint8Array, type: string): string {
  const [, charset = 'utf-8'] = /charset\s*=\s*"?([^\s";]+)/i.exec(type) ?? []
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
