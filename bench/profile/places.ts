// Where code belongs: the room that it lies in, and the stage of a record's way that it is. A frame that belongs
// nowhere (a function of JavaScript's own, of Node's) counts for whoever called it.
//
//   decode ─▶ correlate ─▶ load ─▶ decide ─▶ apply ─▶ encode ─▶ log (LevelDB)        runtime: the loop around them

export type Stage = (typeof stages)[number]
export const stages = [
  'decode',
  'correlate',
  'load',
  'decide',
  'expressions',
  'apply',
  'encode',
  'log',
  'runtime',
  'bench',
  'gc',
  'native',
  'idle',
] as const

export interface Frame {
  readonly functionName: string
  readonly url: string
}

/** The first pattern that fits the end of a file's path, with the function's name where that decides. */
const stageByPlace: readonly (readonly [place: RegExp, stage: Stage, name?: RegExp])[] = [
  [/src\/engine\/(message|payload)\.ts$/, 'decode'],
  [/src\/records\/.*\.ts$/, 'load', /^(decode|unpack|taskOf|openOf|payload|timelineOf|waiterOf|recordOf|fromFields)/],
  [/src\/records\/.*\.ts$/, 'encode'],
  [/node_modules\/msgpackr\/unpack/, 'load'],
  [/node_modules\/msgpackr\//, 'encode'],
  [/src\/runtime\/staging\.ts$/, 'encode', /encode/i],
  [/src\/runtime\/staging\.ts$/, 'apply'],
  [/src\/runtime\/rows\.ts$/, 'apply', /^(copyRow|put)$/],
  [/src\/runtime\/rows\.ts$/, 'load'],
  [/src\/engine\/(deciders\/(record|channel)|correlation)\.ts$/, 'correlate'],
  [/src\/base\/partitioner\.ts$/, 'correlate'],
  [/src\/engine\/(appliers\/.*|apply)\.ts$/, 'apply'],
  [/src\/definition\/|node_modules\/@marcbachmann\/cel-js\/|src\/engine\/roots\.ts$/, 'expressions'],
  [/src\/engine\//, 'decide'],
  [/src\/adapters\/(system)\//, 'decide'],
  [/src\/adapters\/|node_modules\/(classic-level|abstract-level|level)\//, 'log'],
  [/src\/(runtime|base)\//, 'runtime'],
  [/\/bench\//, 'bench'],
]

/** The stage of a frame; undefined: its caller's. */
export function stageOf({ functionName, url }: Frame): Stage | undefined {
  switch (functionName) {
    case '(garbage collector)':
      return 'gc'
    case '(idle)':
      return 'idle'
    case '(program)':
    case '(root)':
      return 'native'
  }
  return stageByPlace.find(([place, , name]) => place.test(url) && (name === undefined || name.test(functionName)))?.[1]
}

/** "src/engine", "adapters/embedded", "cel-js", …; undefined: its caller's. */
export function roomOf({ functionName, url }: Frame): string | undefined {
  if (functionName.startsWith('(') && url === '') return functionName
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  if (dependency !== undefined) return dependency
  const [, room] = /\/(src\/adapters\/\w+|src\/\w+|bench)\//.exec(url) ?? []
  return room
}
