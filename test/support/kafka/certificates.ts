// Certificates as an operator has them made: an authority, a broker, a client, and a stranger that nobody trusts. Files are
// PEM, in a temporary folder that goes with the tests.
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate, type SelfsignedOptions } from 'selfsigned'

export const keyPassphrase = 'open sesame'

export interface Certificates {
  /** Of the authority that signed the broker and the client. */
  readonly ca: string
  /** Key and certificate in one file, as Kafka takes them. */
  readonly broker: string
  readonly clientCert: string
  readonly clientKey: string
  /** The same key, encrypted with `keyPassphrase`. */
  readonly clientKeyEncrypted: string
  /** An authority that signed nothing, and its key. */
  readonly strangerCert: string
  readonly strangerKey: string
  /** A file of this text beside them. */
  write(name: string, text: string): string
  remove(): void
}

const dayMs = 86_400_000

export interface Signed {
  readonly key: string
  readonly cert: string
}

/** @param ca who signs it; absent: it does so itself */
export async function sign(name: string, extensions: SelfsignedOptions['extensions'], ca?: Signed): Promise<Signed> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 2 * dayMs),
    ...(extensions === undefined ? {} : { extensions }),
    ...(ca === undefined ? {} : { ca }),
  })
  return { key, cert }
}

export const signs: SelfsignedOptions['extensions'] = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
]

/** The broker's certificate is for 127.0.0.1, localhost and kafka.test. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), 'dw-certificates-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const [ca, stranger] = await Promise.all([sign('ca', signs), sign('stranger', signs)])
  const names = [
    { type: 7, ip: '127.0.0.1' },
    { type: 2, value: 'localhost' },
    { type: 2, value: 'kafka.test' },
  ] as const
  const broker = await sign('broker', [{ name: 'subjectAltName', altNames: [...names] }], ca)
  const client = await sign('client', [{ name: 'extKeyUsage', clientAuth: true }], ca)
  const cipher = { cipher: 'aes-256-cbc', passphrase: keyPassphrase }
  const encrypted = createPrivateKey(client.key).export({ type: 'pkcs8', format: 'pem', ...cipher })
  return {
    ca: write('ca.pem', ca.cert),
    broker: write('broker-both.pem', broker.key + broker.cert),
    clientCert: write('client.pem', client.cert),
    clientKey: write('client.key', client.key),
    clientKeyEncrypted: write('client-encrypted.key', encrypted.toString()),
    strangerCert: write('stranger.pem', stranger.cert),
    strangerKey: write('stranger.key', stranger.key),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
