// What a worker is told before it starts. Three layers, the later wins: configuration file, environment, flags.
// Each layer is checked by itself against schemas/config.schema.json, so that a problem names the file's line, the
// variable or the flag that it comes from; then they are merged and looked at as a whole.
import { statSync } from 'node:fs'
import { ConfigError, type Problem } from '../base/errors.ts'
import { parseHost, type AllowedHost } from '../base/hosts.ts'
import type { HttpSettings } from '../base/http-settings.ts'
import type { Guarantee, KafkaClientName, KafkaSettings } from '../base/kafka-settings.ts'
import { parseDuration } from '../definition/duration.ts'
import { configDefaults } from './config-schema.ts'
import { httpProblems } from './http-problems.ts'
import { kafkaProblems } from './kafka-problems.ts'
import { environmentLayer, fileLayer, flagLayer, objectLayer, type Layer } from './layers.ts'

export interface WorkerConfig extends KafkaSettings, HttpSettings {
  /** Name of the application: prefix of its topics, shared by its workers. */
  readonly app: string
  /** "host:port" of the Kafka brokers; absent: the embedded log. */
  readonly brokers?: readonly string[]
  /** Which client talks to Kafka. */
  readonly client: KafkaClientName
  /** What the worker claims on Kafka. */
  readonly guarantee: Guarantee
  /** Of what is produced on Kafka. */
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Where the schemas of topics are; absent: none has any. */
  readonly schemaRegistry?: string
  readonly schemaRegistryUsername?: string
  /** Absent: the variable. */
  readonly schemaRegistryPasswordFile?: string
  /** Directory of the workflow files; absolute, as every path here. */
  readonly workflows: string
  readonly handlers?: string
  readonly data: string
  readonly partitions: number
  /** Warm copies of each partition, by other workers. */
  readonly standby: number
  /** Topics that want another number of partitions than the application has. */
  readonly topics: ReadonlyMap<string, { readonly partitions: number }>
  readonly topicsCreate: boolean
  /** Whether workflows that do not say are told of in `<app>.updates`. */
  readonly updates: boolean
  /** Between being told to stop and stopping. */
  readonly stopDelayMs: number
  /** For stopping. */
  readonly stopTimeoutMs: number
  /** Under which name the workflow directory is published. */
  readonly source: string
  /** A lower one than what is published already is not published. */
  readonly revision?: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly handlersPerWorker: number
  /** The directory of secrets; absent: variables only. */
  readonly secrets?: string
  /** The hosts that `http` tasks may call. */
  readonly httpAllow: readonly AllowedHost[]
  /** Whether it tells OpenTelemetry what it does. */
  readonly otel: boolean
}

export interface ConfigSources {
  /** Values of flags by configuration key, as texts. */
  readonly flags: { readonly [key: string]: string | undefined }
  readonly env: { readonly [name: string]: string | undefined }
  /** `--config`; absent: DAGGER_WORKER_CONFIG, or no file. */
  readonly file?: string
  /** What relative paths of flags and environment are relative to. */
  readonly workingDirectory: string
}

/** The shape of a layer that the schema has accepted. */
export interface ConfigValues extends KafkaSettings, Omit<HttpSettings, 'hostNames'> {
  readonly app: string
  readonly brokers?: string
  readonly client: KafkaClientName
  readonly guarantee: Guarantee
  readonly compression: WorkerConfig['compression']
  readonly schemaRegistry?: string
  readonly schemaRegistryUsername?: string
  readonly schemaRegistryPasswordFile?: string
  readonly workflows: string
  readonly handlers?: string
  readonly data: string
  readonly hostNames?: string
  readonly partitions: number
  readonly standby: number
  readonly topics: { readonly [name: string]: { readonly partitions: number } }
  readonly topicsCreate: boolean
  readonly updates: boolean
  readonly stopDelay: string
  readonly stopTimeout: string
  readonly source?: string
  readonly revision?: number
  readonly logLevel: WorkerConfig['logLevel']
  readonly handlersPerWorker: number
  readonly secrets?: string
  readonly httpAllow?: string
  readonly otel: boolean
}

/**
 * Merges the layers into one configuration.
 * @throws {ConfigError} With every problem of every layer; codes DW_CONFIG, DW_CONFIG_FILE, DW_CONFIG_UNKNOWN, DW_CONFIG_DIRECTORY.
 */
export function loadConfig(sources: ConfigSources): WorkerConfig {
  const { env, workingDirectory } = sources
  const file = sources.file ?? env['DAGGER_WORKER_CONFIG']
  const layers: Layer[] = []
  if (file !== undefined) layers.push(fileLayer(file, workingDirectory))
  layers.push(environmentLayer(env, workingDirectory), flagLayer(sources.flags, workingDirectory))
  return configFrom(layers, env, workingDirectory)
}

/**
 * The configuration of an embedder: an object with the keys of the file, and nothing from elsewhere but what is secret.
 * @throws {ConfigError} With every problem of it, as `loadConfig` does.
 */
export function configOf(
  values: object,
  { env, workingDirectory }: Pick<ConfigSources, 'env' | 'workingDirectory'>,
): WorkerConfig {
  return configFrom([objectLayer(values, workingDirectory)], env, workingDirectory)
}

function configFrom(layers: readonly Layer[], env: ConfigSources['env'], workingDirectory: string): WorkerConfig {
  const problems = layers.flatMap((layer) => layer.problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const values: ConfigValues = Object.assign({}, defaults(workingDirectory), ...layers.map((layer) => layer.values))
  const directories = [...missingDirectories(values)]
  const hosts = readHosts(values.httpAllow)
  const names = readHosts(values.hostNames)
  const ofKafka = values.brokers === undefined ? [] : [...kafkaProblems(values, env)]
  const ofHosts = [...hostProblems('httpAllow', hosts), ...hostProblems('hostNames', names)]
  const wrongs = [...directories, ...ofHosts, ...httpProblems(values), ...durationProblems(values), ...ofKafka]
  if (wrongs.length > 0) throw new ConfigError(wrongs)
  const { brokers, httpAllow: _, hostNames: __, stopDelay, stopTimeout, ...rest } = values
  return {
    ...rest,
    ...(brokers === undefined ? {} : { brokers: brokers.split(',') }),
    source: values.source ?? values.app,
    stopDelayMs: parseDuration(stopDelay) ?? 0,
    stopTimeoutMs: parseDuration(stopTimeout) ?? 0,
    httpAllow: hosts.flatMap(({ host }) => host ?? []),
    hostNames: names.flatMap(({ host }) => host ?? []),
    topics: new Map(Object.entries(values.topics)),
  }
}

function* durationProblems(values: ConfigValues): Generator<Problem> {
  for (const key of ['stopDelay', 'stopTimeout'] as const) {
    if (parseDuration(values[key]) !== undefined) continue
    const message = `Expected a duration such as 500ms, 20s or 1m in ${key}, found ${JSON.stringify(values[key])}.`
    yield { code: 'DW_CONFIG', path: key, message }
  }
}

/** The schema's defaults, as a layer below all others. */
function defaults(workingDirectory: string): object {
  const texts = Object.fromEntries(
    Object.entries(configDefaults).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
  return { ...configDefaults, ...flagLayer(texts, workingDirectory).values }
}

interface ReadHost {
  readonly text: string
  readonly host: AllowedHost | undefined
}

function readHosts(list: string | undefined): readonly ReadHost[] {
  const texts = list === undefined ? [] : list.split(',').map((text) => text.trim())
  return texts.map((text) => ({ text, host: parseHost(text) }))
}

function hostProblems(key: 'httpAllow' | 'hostNames', hosts: readonly ReadHost[]): readonly Problem[] {
  return hosts
    .filter(({ host }) => host === undefined)
    .map(({ text }) => ({
      code: 'DW_CONFIG',
      path: key,
      message: `Expected host or host:port in ${key === 'httpAllow' ? '--http-allow' : '--host-names'}, found ${JSON.stringify(text)}. For example api.example.com or localhost:8080, with no scheme and no path.`,
    }))
}

function* missingDirectories(values: ConfigValues): Generator<Problem> {
  for (const key of ['workflows', 'handlers', 'secrets'] as const) {
    const path = values[key]
    if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) continue
    yield {
      code: 'DW_CONFIG_DIRECTORY',
      path: key,
      message: `The ${key} directory ${path} is not there: create it, or name another one with --${key} DIR.`,
    }
  }
}
