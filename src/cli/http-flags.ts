// The flags of `start` that say who may use the HTTP API, and how it is reached. No flag holds a secret.
import type { Command } from 'commander'

/** Adds them to a command. */
export function withHttp(command: Command): Command {
  return command
    .option('--port <n>', 'port of the HTTP API, 0 picks one (default: 7070)')
    .option('--host <address>', 'address of the HTTP API, 0.0.0.0 for all (default: 127.0.0.1)')
    .optionsGroup('Who may use the HTTP API, and how it is reached:')
    .option(
      '--tokens-file <file>',
      'who may do what, as "dagger-worker token create" writes it (default: everybody all)',
    )
    .option('--tls-cert-file <file>', 'PEM of its certificate (default: no TLS)')
    .option('--tls-key-file <file>', 'PEM of its private key')
    .option('--tls-key-passphrase-file <file>', 'passphrase of the key')
    .option('--tls-client-ca-file <file>', 'PEM of who signs the certificates that callers have to show (mTLS)')
    .option('--tls-ca-file <file>', "PEM of who signs the other workers' certificates (default: Node's)")
    .option('--advertised-url <url>', 'where the other workers reach this one (default: of host and port)')
    .option('--host-names <list>', 'other names that callers reach it under, with commas')
    .optionsGroup('')
}
