// Whether text has colours: on a terminal that knows them, unless a person objects (https://no-color.org) or wants them
// wherever they go (https://force-color.org). Who objects is right.

/** Whether what goes to a terminal, or to something else, has colours. */
export function wantsColours(isTerminal: boolean, env: { readonly [name: string]: string | undefined }): boolean {
  const { NO_COLOR: never = '', FORCE_COLOR: always = '', TERM: terminal } = env
  if (never !== '') return false
  if (always !== '') return always !== '0'
  return isTerminal && terminal !== 'dumb'
}
