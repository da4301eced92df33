// How the API is reached and by whom: tokens, certificates, names, and how other workers are asked. Made of the settings
// before anything starts, so that what is wrong with them is told at once; certificates and tokens are read again when
// their files change.
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ConfigError } from '../base/errors.ts'
import { isLoopback, type HttpSettings } from '../base/http-settings.ts'
import type { Logger } from '../base/logger.ts'
import { fetchWith, type Fetch, type Trust } from '../base/secure-fetch.ts'
import { thrownText } from '../base/thrown.ts'
import { readAccess, type AccessList } from '../config/access-file.ts'
import { openDoor } from '../config/http-problems.ts'
import { Access } from './access.ts'
import { FromFiles } from './from-files.ts'
import { hostCheck } from './host-check.ts'
import { httpLimits } from './limits.ts'

export type DoorSettings = Omit<HttpSettings, 'port' | 'hostNames'> & Partial<Pick<HttpSettings, 'hostNames'>>

/** What the API is served with. */
type TlsMaterial = Trust & SecureContextOptions

export class Doors {
  readonly settings: DoorSettings
  readonly access: Access
  /** Asks other workers. */
  readonly askPeer: Fetch
  readonly checkHost: ReturnType<typeof hostCheck>
  readonly #tokens: FromFiles<AccessList> | undefined
  readonly #tls: FromFiles<TlsMaterial> | undefined
  readonly #trust: FromFiles<Trust> | undefined
  readonly #onNewTls: ((tls: TlsMaterial) => void)[] = []
  #timer: NodeJS.Timeout | undefined

  /** @throws {ConfigError} DW_HTTP_HOST, DW_TOKENS_FILE, DW_HTTP_TLS */
  constructor(settings: DoorSettings) {
    const { host, tokensFile, tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsCaFile, tlsKeyPassphraseFile } = settings
    const problems = [...openDoor(settings)]
    if (problems.length > 0) throw new ConfigError(problems)
    this.settings = settings
    this.#tokens =
      tokensFile === undefined ? undefined : new FromFiles([tokensFile], ([text = '']) => accessOf(tokensFile, text))
    if (tlsCertFile !== undefined && tlsKeyFile !== undefined) {
      const paths = { cert: tlsCertFile, key: tlsKeyFile, passphrase: tlsKeyPassphraseFile, ca: tlsClientCaFile }
      this.#tls = madeOf(paths, tlsOf)
    }
    // Who asks for certificates has one of its own to show.
    const own =
      tlsClientCaFile === undefined ? {} : { cert: tlsCertFile, key: tlsKeyFile, passphrase: tlsKeyPassphraseFile }
    if (tlsCaFile !== undefined || tlsClientCaFile !== undefined) this.#trust = madeOf({ ca: tlsCaFile, ...own }, tlsOf)
    this.askPeer = fetchWith(() => this.#trust?.value)
    const tokens = this.#tokens
    this.access = new Access({
      list: tokens && (() => tokens.value),
      needsCertificate: tlsClientCaFile !== undefined,
      ownFingerprint: () => this.#tls && new X509Certificate(this.#tls.value.cert ?? '').fingerprint256,
    })
    this.checkHost = hostCheck({
      names: settings.hostNames ?? [],
      advertisedUrl: settings.advertisedUrl,
      isOpen: !isLoopback(host),
      isSecure: this.#tls !== undefined,
    })
  }

  /** What the server is made with; absent: no TLS. */
  get tls(): TlsMaterial | undefined {
    return this.#tls?.value
  }

  /** What an operator should know, in sentences. */
  problems(): readonly string[] {
    return [this.#tokens, this.#tls, this.#trust].flatMap((each) => each?.trouble ?? [])
  }

  /** Looks at the files every few seconds until it is closed, and says once what it finds. */
  watch(logger: Logger, onNewTls: (tls: TlsMaterial) => void): void {
    this.#onNewTls.push(onNewTls)
    this.#timer ??= setInterval(() => {
      const before = this.problems().join()
      if (this.look()) logger.info({}, 'tokens or certificates were read again')
      const now = this.problems().join()
      if (now !== before && now !== '') logger.warn({}, now)
    }, httpLimits.filesLookedAtEveryMs).unref()
  }

  /** Looks at the files now; true: something is new. */
  look(): boolean {
    const isNew = [this.#tokens, this.#trust].filter((each) => each?.look() === true).length > 0
    if (this.#tls?.look() !== true) return isNew
    for (const tell of this.#onNewTls) tell(this.#tls.value)
    return true
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

function accessOf(file: string, text: string): AccessList {
  const read = readAccess(file, text)
  if ('length' in read) throw new ConfigError(read)
  return read
}

/** Texts by name, of the files that are named. */
function madeOf<Value>(
  paths: { readonly [name: string]: string | undefined },
  make: (texts: Trust) => Value,
): FromFiles<Value> {
  const named = Object.entries(paths).flatMap(([name, path]) => (path === undefined ? [] : [[name, path] as const]))
  return new FromFiles(
    named.map(([, path]) => path),
    (texts) => make(Object.fromEntries(named.map(([name], index) => [name, trimmed(name, texts[index] ?? '')]))),
  )
}

const trimmed = (name: string, text: string): string => (name === 'passphrase' ? text.replace(/\r?\n$/, '') : text)

/** The same texts, once they were tried: half of what is exchanged does not go with the other half. @throws {ConfigError} */
function tlsOf<Given extends SecureContextOptions>(given: Given): Given & Pick<SecureContextOptions, 'minVersion'> {
  // Said, since NODE_OPTIONS may ask for less.
  const material = { minVersion: 'TLSv1.2', ...given } as const
  try {
    createSecureContext(material)
    return material
  } catch (error) {
    const message = `TLS cannot be set up with these files (${thrownText(error)}): expected PEM, a key that belongs to the certificate, and its passphrase where it is encrypted.`
    throw new ConfigError([{ code: 'DW_HTTP_TLS', path: 'tlsCertFile', message }])
  }
}
