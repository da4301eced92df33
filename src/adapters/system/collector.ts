// The garbage collector of a process that is a worker. V8 makes objects in the old generation from the start where those
// of the same place in the code have mostly lived on before. Rows and records of a workflow engine live for as long as an
// instance does, which under load is two or three collections: long enough to be taken for long-lived, and then they fill
// the old generation. Made where everything else is, they cost an order a tenth less (bench/README.md, "What paid").
import { setFlagsFromString } from 'node:v8'

/** Before anything of a worker runs, in a process of its own: an embedder's heap is not ours to tune. */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
