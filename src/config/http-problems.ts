// What no schema can say of the settings of the HTTP API: which go together, what its files hold, and that nobody opens
// it to other machines without saying who may come in.
import { readFileSync } from 'node:fs'
import type { Problem } from '../base/errors.ts'
import { asksWho, isLoopback, type HttpSettings } from '../base/http-settings.ts'
import { thrownText } from '../base/thrown.ts'
import { readAccess } from './access-file.ts'

type Given = Omit<HttpSettings, 'hostNames'>
type FileKey = 'tokensFile' | 'tlsCertFile' | 'tlsKeyFile' | 'tlsKeyPassphraseFile' | 'tlsClientCaFile' | 'tlsCaFile'

const certificate = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/
const pemOf: { readonly [key in FileKey]?: RegExp } = {
  tlsCertFile: certificate,
  tlsKeyFile: /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  tlsClientCaFile: certificate,
  tlsCaFile: certificate,
}
const fileKeys = [...Object.keys(pemOf), 'tlsKeyPassphraseFile', 'tokensFile'] as readonly FileKey[]

/** Everything that is wrong with them together. */
export function* httpProblems(settings: Given): Generator<Problem> {
  yield* openDoor(settings)
  const { tlsCertFile, tlsKeyFile, tlsKeyPassphraseFile, tlsClientCaFile, advertisedUrl } = settings
  if (tlsCertFile === undefined && tlsKeyFile !== undefined)
    yield problem('tlsCertFile', 'A key needs its certificate: set tlsCertFile, or remove tlsKeyFile.')
  if (tlsCertFile !== undefined && tlsKeyFile === undefined)
    yield problem('tlsKeyFile', 'A certificate needs its key: set tlsKeyFile, or remove tlsCertFile.')
  if (tlsKeyPassphraseFile !== undefined && tlsKeyFile === undefined)
    yield problem('tlsKeyPassphraseFile', 'tlsKeyPassphraseFile would do nothing: there is no tlsKeyFile.')
  if (tlsClientCaFile !== undefined && tlsCertFile === undefined) {
    const message = 'Client certificates come with TLS: set tlsCertFile and tlsKeyFile as well.'
    yield problem('tlsClientCaFile', message)
  }
  for (const key of fileKeys) yield* fileProblems(key, settings[key])
  if (advertisedUrl !== undefined) yield* urlProblems(advertisedUrl)
}

/** DW_HTTP_HOST: other machines would reach it, and whoever does could do everything. */
export function* openDoor(settings: Pick<Given, 'host' | 'tokensFile' | 'tlsClientCaFile'>): Generator<Problem> {
  if (isLoopback(settings.host) || asksWho(settings)) return
  const message =
    `host "${settings.host}": another address than 127.0.0.1 needs tokensFile or tlsClientCaFile, or everybody who reaches ` +
    'it could do everything. Make a token with: dagger-worker token create --name NAME --role operate --file FILE'
  yield { code: 'DW_HTTP_HOST', message, path: 'host', suggestion: '127.0.0.1' }
}

function* fileProblems(key: FileKey, path: string | undefined): Generator<Problem> {
  if (path === undefined) return
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    yield problem(key, `The file ${path} cannot be read (${thrownText(error)}): correct ${key}, or make it readable.`)
    return
  }
  if (key === 'tokensFile') {
    const access = readAccess(path, text)
    if ('length' in access) yield* access
  } else if (pemOf[key]?.test(text) === false) {
    const what = key === 'tlsKeyFile' ? '-----BEGIN PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----'
    yield problem(key, `Expected PEM in ${path}, with a line ${what}: convert a JKS or PKCS#12 store with openssl.`)
  }
}

function* urlProblems(text: string): Generator<Problem> {
  const url = URL.parse(text)
  const isBare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  if (isBare && (url.protocol === 'http:' || url.protocol === 'https:')) return
  const message = `Expected http:// or https://, a host and a port in advertisedUrl, and nothing behind them, found "${text}".`
  yield problem('advertisedUrl', message)
}

const problem = (path: string, message: string): Problem => ({ code: 'DW_CONFIG', path, message })
