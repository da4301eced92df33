// The places that a worker's configuration comes from, three for a daemon and one for an embedder, each as the values it sets and what is wrong with them.
//
// Environment and flags are texts; what a text becomes follows from the type that the schema names for its key, so
// there is no second list of keys. Paths are made absolute here, because only here is it known what they are relative
// to: the file's directory for the file, the working directory for the others.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { clientVariables } from '../base/client-variables.ts'
import type { Problem } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { kafkaSecretVariables } from '../base/kafka-settings.ts'
import { isObject, pathText } from '../definition/cursor.ts'
import { registryPasswordVariable } from '../base/registry-password.ts'
import { nearest } from '../definition/nearest.ts'
import { readSource } from '../definition/source.ts'
import { checkConfig, configKeys, type ConfigFinding, configType, pathKeys } from './config-schema.ts'

export interface Layer {
  readonly values: { readonly [key: string]: Json }
  readonly problems: readonly Problem[]
}

const variablePrefix = 'DAGGER_WORKER_'
/** Variables of ours that are no keys: the first names the file, the next are for the commands that ask a worker. */
const otherVariables: ReadonlySet<string> = new Set([
  'DAGGER_WORKER_CONFIG',
  ...Object.values(clientVariables),
  ...Object.values(kafkaSecretVariables),
  registryPasswordVariable,
])
/** What somebody may take for a key: "kafkaSaslPassword". */
const secretKeys: ReadonlySet<string> = new Set(
  Object.keys(kafkaSecretVariables).map((key) => key.replace(/File$/, '')),
)
/** What Kubernetes sets in every pod next to a service named "dagger-worker". */
const kubernetesName = /^DAGGER_WORKER_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_)/
const kubernetesPort = /^(?:tcp|udp|sctp):\/\//

/** The keys of a YAML or JSON file; problems carry line, column and frame. */
export function fileLayer(file: string, workingDirectory: string): Layer {
  const path = resolve(workingDirectory, file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const message = `The configuration file ${file} cannot be read (${reason}): check --config or DAGGER_WORKER_CONFIG.`
    return { values: {}, problems: [{ code: 'DW_CONFIG_FILE', message }] }
  }
  if (text.trim() === '') return { values: {}, problems: [] }
  const { documents, problems } = readSource(file, text)
  const [document, second] = documents
  if (document === undefined) return { values: {}, problems }
  if (second !== undefined) {
    const message = 'A configuration file holds one document: expected its end, found "---".'
    return { values: {}, problems: [second.problem('DW_CONFIG_FILE', [], message)] }
  }
  const findings = checkConfig(document.json).map(({ code, message, at, atKey, suggestion }) => {
    const key = String(at[0])
    return secretKeys.has(key)
      ? document.problem(code, at, secretMessage(key), { atKey })
      : document.problem(code, at, message, { atKey, suggestion })
  })
  if (isObject(document.json) && Object.keys(document.json).some((key) => secretKeys.has(key))) {
    // A frame would show the secret.
    const problems = findings.map((finding): Problem => {
      const { frame: _, ...shown } = finding
      return shown
    })
    return { values: {}, problems }
  }
  if (findings.length > 0 || !isObject(document.json)) return { values: {}, problems: findings }
  const { $schema: _, ...values } = document.json
  return { values: withAbsolutePaths(values, dirname(path)), problems: [] }
}

/** DAGGER_WORKER_LOG_LEVEL sets logLevel, and so on; an empty variable sets nothing. */
export function environmentLayer(
  env: { readonly [name: string]: string | undefined },
  workingDirectory: string,
): Layer {
  const keyOf = new Map(configKeys.map((key) => [variableOf(key), key]))
  const texts: { [key: string]: string } = {}
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(variablePrefix) || text === undefined || text === '') continue
    if (otherVariables.has(name) || kubernetesName.test(name)) continue
    const key = keyOf.get(name)
    if (key === undefined) {
      const suggestion = nearest(name, [...keyOf.keys(), ...otherVariables])
      const message = `The variable ${name} means nothing to a worker: correct its name or remove it.`
      problems.push({
        code: 'DW_CONFIG_UNKNOWN',
        path: name,
        message,
        ...(suggestion === undefined ? {} : { suggestion }),
      })
    } else if (key !== 'port' || !kubernetesPort.test(text)) {
      texts[key] = text
    }
  }
  const layer = textLayer(texts, workingDirectory, variableOf)
  return { values: layer.values, problems: [...problems, ...layer.problems] }
}

/** The keys of an object, as a file has them. */
export function objectLayer(given: object, workingDirectory: string): Layer {
  const json = given as { readonly [key: string]: Json }
  const problems = checkConfig(json).map(({ code, message, at, suggestion }): Problem => {
    const key = String(at[0] ?? '')
    const told = secretKeys.has(key) ? secretMessage(key) : message
    return { code, path: pathText(at), message: told, ...(suggestion === undefined ? {} : { suggestion }) }
  })
  return problems.length > 0
    ? { values: {}, problems }
    : { values: withAbsolutePaths(json, workingDirectory), problems }
}

/** Values of flags by configuration key. */
export function flagLayer(flags: { readonly [key: string]: string | undefined }, workingDirectory: string): Layer {
  return textLayer(flags, workingDirectory, flagOf)
}

/** "--log-level" for "logLevel". */
function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function variableOf(key: string): string {
  return variablePrefix + key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

function textLayer(
  texts: { readonly [key: string]: string | undefined },
  workingDirectory: string,
  nameOf: (key: string) => string,
): Layer {
  const values: { [key: string]: Json } = {}
  for (const [key, text] of Object.entries(texts)) {
    if (text !== undefined) values[key] = fromText(text, configType(key))
  }
  const problems = checkConfig(values).map(({ code, message, at }: ConfigFinding): Problem => ({
    code,
    path: nameOf(String(at[0])),
    message,
  }))
  return problems.length > 0
    ? { values: {}, problems }
    : { values: withAbsolutePaths(values, workingDirectory), problems }
}

const secretMessage = (key: string): string =>
  `${key} is no key of the configuration, where others would read it: write it into a file of its own, and name that with ${key}File.`

/** The value that a text means for a type; what does not read as that type stays text, and the schema says so. */
function fromText(text: string, type: string | undefined): Json {
  if (type === 'integer') return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : text
  if (type === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
  if (type !== 'object') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function withAbsolutePaths(values: Layer['values'], directory: string): Layer['values'] {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      pathKeys.has(key) && typeof value === 'string' ? resolve(directory, value) : value,
    ]),
  )
}
