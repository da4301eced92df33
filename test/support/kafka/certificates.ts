// Certificates as an operator has them made, by openssl: an authority, a broker, a client, and a stranger that nobody
// trusts. Files are PEM, in a temporary folder that goes with the tests.
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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

/** The broker's certificate is for 127.0.0.1, localhost and kafka.test. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'dw-certificates-'))
  const file = (name: string): string => join(folder, name)
  const write = (name: string, text: string): string => {
    writeFileSync(file(name), text)
    return file(name)
  }
  const openssl = (...argv: readonly string[]): void =>
    void execFileSync('openssl', argv, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const authority = (name: string): void =>
    openssl('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`)
  const signed = (name: string, extensions: string): void => {
    write(`${name}.ext`, extensions)
    openssl(
      'req',
      '-new',
      ...newKey.slice(0, -2),
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    )
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`]
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`)
  }
  authority('ca')
  authority('stranger')
  signed('broker', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kafka.test\n')
  signed('client', 'extendedKeyUsage=clientAuth\n')
  const key = createPrivateKey(readFileSync(file('client.key')))
  const cipher = { cipher: 'aes-256-cbc', passphrase: keyPassphrase }
  return {
    ca: file('ca.pem'),
    broker: write(
      'broker-both.pem',
      readFileSync(file('broker.key'), 'utf8') + readFileSync(file('broker.pem'), 'utf8'),
    ),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
    clientKeyEncrypted: write(
      'client-encrypted.key',
      key.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString(),
    ),
    strangerCert: file('stranger.pem'),
    strangerKey: file('stranger.key'),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
