// The file that says who may do what, a line each:
//
//   # name     role     how it is known
//   alice      operate  sha256:5a3c…      the SHA-256 of a token (dagger-worker token create prints both)
//   grafana    read     sha256:0b77…
//   deploy     operate  certificate       a client certificate with this common name
//   worker-2   worker   certificate       another worker's: it says for whom it asks
//
// Of a token only its hash is kept. One round of SHA-256 does: a token is 256 random bits, which no number of guesses
// finds, and a slow hash, made for passwords, would cost each request what it costs a guesser.
import { createHash } from 'node:crypto'
import type { Problem } from '../base/errors.ts'

/** `operate` may do everything, `read` look at everything. */
export type Role = 'read' | 'operate'

export interface TokenEntry {
  readonly name: string
  readonly role: Role
  /** SHA-256 of the token. */
  readonly digest: Buffer
}

export interface AccessList {
  readonly tokens: readonly TokenEntry[]
  /** Roles by common name; `worker`: asks for others as well. */
  readonly certificates: ReadonlyMap<string, Role | 'worker'>
}

/** Each is compared with each token that is given. */
const entriesMax = 1_000
const tokenPrefix = 'dw_'
export const accessName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/
export const accessNameText = '1 to 100 letters, digits, ".", "_", "@" and "-"'

export const digestOf = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest()

/** A new token of 256 random bits. */
export const tokenOf = (random: Uint8Array): string => tokenPrefix + Buffer.from(random).toString('base64url')

/** The line of a token in the file. */
export const tokenLine = (name: string, role: Role, token: string): string =>
  `${name} ${role} sha256:${digestOf(token).toString('hex')}`

/** What a file of this text says, or everything that is wrong with it. What stands for a hash is not shown: it may be a token. */
export function readAccess(file: string, text: string): AccessList | readonly Problem[] {
  const tokens: TokenEntry[] = []
  const certificates = new Map<string, Role | 'worker'>()
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (words[0] === '') continue
    const say = (message: string): void => {
      problems.push({ code: 'DW_TOKENS_FILE', message, place: { file, line: index + 1, column: 1 } })
    }
    const [name = '', role = '', known = ''] = words
    if (words.length !== 3)
      say(`Expected three words, "name role sha256:…" or "name role certificate", found ${words.length}.`)
    else if (!accessName.test(name)) say(`Expected a name of ${accessNameText} in front.`)
    else if (role !== 'read' && role !== 'operate' && !(role === 'worker' && known === 'certificate'))
      say('Expected the role read or operate, or, of a certificate, worker.')
    else if (seen.has(known === 'certificate' ? name : known))
      say(`"${name}" has been given this before: remove one of the two lines.`)
    else if (known === 'certificate') certificates.set(name, role)
    else if (role === 'worker' || !/^sha256:[0-9a-f]{64}$/.test(known))
      say('Expected "sha256:" and 64 hexadecimal digits, as dagger-worker token create prints them, or "certificate".')
    else tokens.push({ name, role, digest: Buffer.from(known.slice('sha256:'.length), 'hex') })
    seen.add(known === 'certificate' ? name : known)
  }
  const count = tokens.length + certificates.size
  if (problems.length === 0 && count === 0)
    problems.push({
      code: 'DW_TOKENS_FILE',
      message: `Nobody is named in ${file}: write a line for each token.`,
      path: 'tokensFile',
    })
  if (count > entriesMax)
    problems.push({
      code: 'DW_TOKENS_FILE',
      message: `Expected at most ${entriesMax} lines in ${file}, found ${count}.`,
      path: 'tokensFile',
    })
  return problems.length > 0 ? problems : { tokens, certificates }
}
