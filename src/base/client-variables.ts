/** The variables of the commands that ask a worker. They are no settings of a worker. */
export const clientVariables = {
  server: 'DAGGER_WORKER_SERVER',
  token: 'DAGGER_WORKER_TOKEN',
  tokenFile: 'DAGGER_WORKER_TOKEN_FILE',
  caFile: 'DAGGER_WORKER_CA_FILE',
  certFile: 'DAGGER_WORKER_CERT_FILE',
  keyFile: 'DAGGER_WORKER_KEY_FILE',
} as const
