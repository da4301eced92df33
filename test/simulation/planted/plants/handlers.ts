// Mistakes around handlers: their slots, their runs, their keys.
import type { Plant } from '../plant.ts'

const executor = 'src/runtime/executor.ts'

export const handlerPlants: readonly Plant[] = [
  {
    name: 'key-of-the-attempt',
    trap: 'I4: the idempotency key changes with the attempt',
    file: 'src/engine/tasks/handler.ts',
    find: "!== 'interval') return key",
    replace: "!== 'interval') return `${key}/${at.number}`",
  },
  {
    name: 'slot-leaks',
    trap: 'I19: a run that is aborted keeps its slot',
    file: executor,
    find: `    this.#drop(job)
    job.call?.abort('the attempt is over')`,
    replace: `    this.#jobs.delete(job.id)
    job.call?.abort('the attempt is over')`,
  },
  {
    name: 'run-beside-a-run',
    trap: 'H2: a job that is asked for again runs twice in one worker',
    file: executor,
    find: 'if (known.attempt !== attempt) {',
    replace: "if (known.attempt !== attempt || known.state === 'running') {",
  },
]
