// How a worker proves who it is to Kafka, and knows that it talks to the right one: settings, with no secret in them.
// Secrets are in files that the settings name or in variables of their own, and are read when a connection is made.

/** Whose protocol and connections are used. */
export type KafkaClientName = 'platformatic' | 'kafkajs'
export type Guarantee = 'exactly-once' | 'at-least-once'

export interface KafkaSettings {
  readonly kafkaTls: boolean
  readonly kafkaTlsCaFile?: string
  readonly kafkaTlsCertFile?: string
  readonly kafkaTlsKeyFile?: string
  readonly kafkaTlsKeyPassphraseFile?: string
  readonly kafkaTlsServerName?: string
  readonly kafkaSaslMechanism?: SaslMechanism
  readonly kafkaSaslUsername?: string
  readonly kafkaSaslPasswordFile?: string
  readonly kafkaSaslTokenFile?: string
  readonly kafkaSaslTokenEndpoint?: string
  readonly kafkaSaslClientId?: string
  readonly kafkaSaslClientSecretFile?: string
  readonly kafkaSaslScope?: string
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

/** The variable that holds a secret itself, by the setting that names a file with it. There is no key and no flag for it. */
export const kafkaSecretVariables = {
  kafkaTlsKeyPassphraseFile: 'DAGGER_WORKER_KAFKA_TLS_KEY_PASSPHRASE',
  kafkaSaslPasswordFile: 'DAGGER_WORKER_KAFKA_SASL_PASSWORD',
  kafkaSaslClientSecretFile: 'DAGGER_WORKER_KAFKA_SASL_CLIENT_SECRET',
} as const

export type KafkaSecret = keyof typeof kafkaSecretVariables
export type Environment = { readonly [name: string]: string | undefined }
