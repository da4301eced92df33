// Who asks: by a token (`Authorization: Bearer …`) or by a client certificate.
//
// A token that is given is what counts; where a certificate is asked for, it has to be there as well. What a worker
// passes on keeps the caller's token. Of a caller with a certificate alone the worker says the name, in a header that
// counts from workers only: from who shows the certificate of this worker, or one that the tokens file calls a worker's.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import { accessName, digestOf, type AccessList, type Role } from '../config/access-file.ts'

export interface Caller {
  readonly name: string
  readonly role: Role
  /** The worker that says so. */
  readonly through?: string
}

export interface AccessOptions {
  /** Absent: no tokens; a certificate may operate. */
  readonly list: (() => AccessList) | undefined
  readonly needsCertificate: boolean
  /** Of this worker's own certificate. */
  readonly ownFingerprint: () => string | undefined
}

/** Set by a worker that passes a request on: "alice operate". */
export const callerHeader = 'dagger-worker-caller'

export class Access {
  readonly #options: AccessOptions

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** False: whoever reaches the address may do everything. */
  get asks(): boolean {
    return this.#options.list !== undefined || this.#options.needsCertificate
  }

  /** Who asks, or in words why that is not known. */
  callerOf(headers: IncomingHttpHeaders, socket: Socket): Caller | string {
    const { list, needsCertificate } = this.#options
    const certificate = certificateOf(socket)
    if (needsCertificate && certificate === undefined)
      return 'A client certificate is needed that the authority of this worker signed.'
    const { authorization } = headers
    if (authorization !== undefined) {
      const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1]
      if (token === undefined) return 'Expected "Authorization: Bearer" and a token.'
      const entry = list === undefined ? undefined : findToken(list(), token)
      return entry === undefined ? 'The token is not one of this worker: it was changed, or taken back.' : entry
    }
    if (certificate === undefined) return 'Send "Authorization: Bearer" and a token.'
    return this.#byCertificate(certificate, headers[callerHeader])
  }

  #byCertificate({ name, fingerprint }: Certificate, saidBy: unknown): Caller | string {
    const { list, ownFingerprint } = this.#options
    const role = list === undefined ? 'operate' : list().certificates.get(name)
    const isWorker = role === 'worker' || fingerprint === ownFingerprint()
    if (isWorker && typeof saidBy === 'string') {
      const [caller = '', callerRole] = saidBy.split(' ')
      if (accessName.test(caller) && (callerRole === 'read' || callerRole === 'operate'))
        return { name: caller, role: callerRole, through: name }
    }
    if (!accessName.test(name)) return 'The common name of the client certificate cannot be used as a name.'
    if (isWorker) return { name, role: 'operate' }
    return role === undefined
      ? `The tokens file of this worker has no line for the certificate of "${name}", and there is no token.`
      : { name, role }
  }
}

/** All are compared, whichever it is: the time that it takes tells nothing. */
function findToken({ tokens }: AccessList, token: string): Caller | undefined {
  const given = digestOf(token)
  let found: Caller | undefined
  for (const { name, role, digest } of tokens) if (timingSafeEqual(given, digest)) found = { name, role }
  return found
}

interface Certificate {
  /** Its common name. */
  readonly name: string
  readonly fingerprint: string
}

/** The certificate that the other side has shown, and that our authority signed. */
function certificateOf(socket: Socket): Certificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const { subject, fingerprint256 } = socket.getPeerCertificate()
  // Several common names come as a list: none of them is the name.
  return { name: String(subject?.CN ?? ''), fingerprint: fingerprint256 }
}
