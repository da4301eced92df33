// Certificates of the HTTP API: an authority, two workers, people and systems that call, and a stranger.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { sign, signs, type Signed } from './kafka/certificates.ts'

export interface Identity {
  readonly certFile: string
  readonly keyFile: string
  /** PEM texts. */
  readonly cert: string
  readonly key: string
}

export interface ApiCertificates {
  readonly caFile: string
  readonly ca: string
  readonly folder: string
  /** For 127.0.0.1, 127.0.0.2 and localhost, as a server and as a client. */
  worker(name: string): Promise<Identity>
  client(name: string): Promise<Identity>
  /** Signed by somebody else. */
  stranger(name: string): Promise<Identity>
}

const names = [
  { type: 7, ip: '127.0.0.1' },
  { type: 7, ip: '127.0.0.2' },
  { type: 2, value: 'localhost' },
] as const

/** Makes an authority; its files go with the test. */
export async function apiCertificates(t: TestContext): Promise<ApiCertificates> {
  const folder = mkdtempSync(join(tmpdir(), 'dw-api-certificates-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let count = 0
  const write = (text: string): string => {
    const file = join(folder, `${count++}.pem`)
    writeFileSync(file, text)
    return file
  }
  const identity = ({ cert, key }: Signed): Identity => ({ cert, key, certFile: write(cert), keyFile: write(key) })
  const [ca, other] = await Promise.all([sign('ca', signs), sign('other', signs)])
  const usage = { name: 'extKeyUsage', serverAuth: true, clientAuth: true } as const
  const asClient = { name: 'extKeyUsage', clientAuth: true } as const
  return {
    ca: ca.cert,
    caFile: write(ca.cert),
    folder,
    worker: async (name) => identity(await sign(name, [usage, { name: 'subjectAltName', altNames: [...names] }], ca)),
    client: async (name) => identity(await sign(name, [asClient], ca)),
    stranger: async (name) => identity(await sign(name, [asClient], other)),
  }
}
