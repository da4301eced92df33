// The flags of every command that goes to Kafka by itself. No flag holds a secret: others on the machine see them.
import type { Command } from 'commander'
import type { KafkaSettings } from '../base/kafka-settings.ts'

export type KafkaFlags = { readonly [key in 'brokers' | 'client' | keyof KafkaSettings]?: string }

/** Adds --brokers and what secures the connection; `otherwise` is what the command does without. */
export function withKafka(command: Command, otherwise?: string): Command {
  const without = otherwise === undefined ? '' : ` (default: none, ${otherwise})`
  return command
    .option('--brokers <list>', `Kafka brokers as host:port,host:port${without}`)
    .option('--client <name>', 'Kafka client: platformatic or kafkajs (default: platformatic)')
    .optionsGroup('TLS and SASL to the brokers:')
    .option('--kafka-tls <boolean>', 'whether connections have TLS (default: false)')
    .option('--kafka-tls-ca-file <file>', "PEM of those who sign the brokers' certificates (default: Node's)")
    .option('--kafka-tls-cert-file <file>', "PEM of the worker's own certificate (mTLS)")
    .option('--kafka-tls-key-file <file>', 'PEM of its private key')
    .option('--kafka-tls-key-passphrase-file <file>', 'passphrase of the key')
    .option('--kafka-tls-server-name <name>', "name in the brokers' certificates (default: their address)")
    .option('--kafka-sasl-mechanism <name>', 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER')
    .option('--kafka-sasl-username <name>', 'user of PLAIN and SCRAM')
    .option('--kafka-sasl-password-file <file>', 'its password (or: $DAGGER_WORKER_KAFKA_SASL_PASSWORD)')
    .option('--kafka-sasl-token-file <file>', 'token of OAUTHBEARER')
    .option('--kafka-sasl-token-endpoint <url>', 'where OAUTHBEARER gets a token, by client credentials')
    .option('--kafka-sasl-client-id <id>', 'who asks for the token')
    .option('--kafka-sasl-client-secret-file <file>', 'its secret (or: $DAGGER_WORKER_KAFKA_SASL_CLIENT_SECRET)')
    .option('--kafka-sasl-scope <scope>', 'what the token is for')
    .optionsGroup('')
}
