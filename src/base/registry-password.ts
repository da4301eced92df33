/** The variable that holds the password of the schema registry, where no file does. There is no key and no flag for it. */
export const registryPasswordVariable = 'DAGGER_WORKER_SCHEMA_REGISTRY_PASSWORD'
