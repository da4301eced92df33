// Secrets as operators give them: a file each in a directory (as Kubernetes and Docker mount them), or a variable each.
// Read anew for every run: what was exchanged counts from the next attempt on.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { RetryableFailure } from '../../base/errors.ts'
import { thrownText } from '../../base/thrown.ts'
import type { Secrets } from '../../runtime/ports.ts'
import { readSecretFile } from './secret-file.ts'

const variablePrefix = 'DAGGER_SECRET_'
const bytesMax = 65_536

export interface SecretOptions {
  /** Absent: variables only. */
  readonly directory?: string | undefined
  readonly env: { readonly [name: string]: string | undefined }
}

/** From `<directory>/<NAME>`, without the line break at its end, else from the variable DAGGER_SECRET_<NAME>. */
export function createSecrets({ directory, env }: SecretOptions): Secrets {
  return {
    read(name) {
      const value = fromFile(directory, name) ?? env[`${variablePrefix}${name}`]
      if (value !== undefined && value !== '') return value
      const places = [...(directory === undefined ? [] : [join(directory, name)]), `${variablePrefix}${name}`]
      throw notFound(
        `the secret ${name} is not there: this worker looked for ${places.join(' and ')}. Set it there, and retry the task`,
      )
    },
  }
}

function fromFile(directory: string | undefined, name: string): string | undefined {
  if (directory === undefined) return undefined
  const path = join(directory, name)
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (!stat.isFile() || stat.size > bytesMax)
      throw new Error(`expected a file of at most ${bytesMax} bytes, found ${stat.isFile() ? stat.size : 'no file'}`)
    return readSecretFile(path)
  } catch (error) {
    throw notFound(`the secret ${name} cannot be read from ${path}: ${thrownText(error)}`)
  }
}

const notFound = (message: string): RetryableFailure => new RetryableFailure(message, { code: 'secret-not-found' })
