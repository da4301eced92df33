// Files that end too early: the write-ahead file of a store and of a log is cut at every byte of its end, the other files
// at sampled ones, and each copy is opened by the adapter that wrote it. What has to come out is known for every cut:
//
//   store   opens with exactly the batches that lie wholly before the cut, at their position: the changelog has the rest
//   log     the same where no batch that its checkpoint names is cut off, DW_DATA_CORRUPTED where one is
//
// The checkpoint is tried as it was in the middle of what is cut, as a power failure would leave it; now and then as it was
// in the end, when every cut shows; and without it, as of an earlier release, when none does. What cannot be told is counted
// as `toldByNothing`: a log that opens with less than was acknowledged, because nothing that is left on the disk says so.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../simulation/random.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { EmbeddedSubject } from './embedded-specimen.ts'
import { LevelSubject } from './level-specimen.ts'
import type { Extent } from './specimen-value.ts'
import {
  examine,
  filesOf,
  grow,
  inParallel,
  judge,
  replaceFile,
  scratchDirectory,
  tryToGoOn,
  withCopy,
  writeAheadFile,
  type Specimen,
  type Step,
} from './specimen.ts'

export interface TornOptions extends CampaignOptions {
  /** How far from the end of the write-ahead file. */
  readonly bytes?: number
  /** Every so many bytes is cut. */
  readonly everyBytes?: number
  readonly seed?: number
}

/** What the log claims in its checkpoint: that it holds so many batches. */
interface Claim {
  readonly batches: number
  readonly file: Buffer | undefined
}

interface Cut {
  readonly file: string
  readonly bytes: number
  readonly claim: Claim | undefined
  readonly goesOn: boolean
}

/** Every so many cuts is tried with all claims, and written to afterwards. */
const thoroughEvery = 16
const otherCutsMax = 400
/** Large values, so that every one of so many copies is read in little time. */
const extent: Extent = { keys: 30, valueBytesMax: 2_000 }
const checkpointFile = 'checkpoint'

/** Cuts a store and a log that were killed. */
export async function tornCampaign(options: TornOptions = {}): Promise<CampaignResult> {
  const { bytes = 65_536, everyBytes = 1, seed = 1, onProgress = () => {} } = options
  const beganMs = Date.now()
  const tally = new Tally()
  const { directory, remove } = scratchDirectory()
  const steps: readonly Step[] = [30, 'reopen', { writeAheadBytes: bytes }]
  try {
    const random = createRandom(seed)
    for (const subject of [
      new LevelSubject(random.stream('level'), extent),
      new EmbeddedSubject(random.stream('embedded'), extent, false),
    ]) {
      const claims = new Map<number, Buffer>()
      const place = { directory: join(directory, subject.name.replace(' ', '-')), name: `seed ${seed}`, isKilled: true }
      const specimen = await grow(subject, steps, place, (live) => {
        if (!subject.mayGoBack) claims.set(subject.batches, readFileSync(join(live, checkpointFile)))
      })
      const cuts = [...cutsOfTail(specimen, claims, { bytes, everyBytes }), ...cutsOfOthers(specimen, everyBytes)]
      let done = 0
      await inParallel(cuts, async (cut) => {
        await tryCut(specimen, cut, tally)
        if (++done % 5_000 === 0) onProgress(`${specimen.name}: ${done} of ${cuts.length} cuts`)
      })
    }
  } finally {
    remove()
  }
  const { cuts, violations, coverage } = tally
  const seconds = Math.round((Date.now() - beganMs) / 100) / 10
  return { runs: cuts, faults: cuts, violations, coverage: { ...coverage, seconds } }
}

class Tally {
  cuts = 0
  readonly violations: string[] = []
  readonly coverage = {
    whole: 0,
    prefix: 0,
    atBorder: 0,
    toldByNothing: 0,
    tailRefused: 0,
    wroteOn: 0,
    otherFileOpened: 0,
    otherFileRefused: 0,
  }
}

async function tryCut(specimen: Specimen, cut: Cut, tally: Tally): Promise<void> {
  await withCopy(specimen, async (copy) => {
    replaceFile(copy, cut.file, readFileSync(join(copy, cut.file)).subarray(0, cut.bytes))
    if (cut.claim !== undefined) replaceFile(copy, checkpointFile, cut.claim.file)
    const finding = await examine(specimen, copy)
    tally.cuts++
    const { coverage } = tally
    let wrong = judge(specimen, finding)
    if (cut.file !== writeAheadFile(specimen.directory)) {
      coverage[finding.kind === 'refused' ? 'otherFileRefused' : 'otherFileOpened']++
    } else if (finding.kind !== 'wrong') {
      const { batches } = specimen.subject
      const expected = batchesIn(specimen, cut.bytes)
      const isTold = cut.claim !== undefined && expected < cut.claim.batches
      const wanted = isTold ? 'refused' : `opened with ${expected}`
      const found = finding.kind === 'refused' ? 'refused' : `opened with ${finding.batches}`
      wrong = wanted === found ? undefined : `it was ${found} batches, where ${wanted} was expected`
      if (isTold) coverage.tailRefused++
      else coverage[expected === batches ? 'whole' : 'prefix']++
      if (specimen.ends.get(expected) === cut.bytes && expected < batches) coverage.atBorder++
      if (cut.claim !== undefined && !isTold && expected < batches) coverage.toldByNothing++
    }
    if (wrong === undefined && finding.kind === 'opened' && cut.goesOn) {
      wrong = await tryToGoOn(specimen, copy, finding.batches)
      coverage.wroteOn++
    }
    if (wrong !== undefined) tally.violations.push(`${specimen.name}, ${cut.file} cut to ${cut.bytes} bytes: ${wrong}`)
  })
}

/** How many batches lie wholly in the first so many bytes of the write-ahead file, and in the tables before it. */
function batchesIn({ ends }: Specimen, bytes: number): number {
  const [first] = ends.keys()
  let batches = first! - 1
  for (const [batch, end] of ends) if (end <= bytes) batches = batch
  return batches
}

function* cutsOfTail(
  specimen: Specimen,
  claims: ReadonlyMap<number, Buffer>,
  { bytes, everyBytes }: { bytes: number; everyBytes: number },
): Generator<Cut> {
  const file = writeAheadFile(specimen.directory)
  const size = [...specimen.ends.values()].at(-1)!
  const middle = batchesIn(specimen, size - Math.floor(bytes / 2))
  const claimOf = (batches: number): Claim | undefined =>
    claims.size === 0 ? undefined : { batches, file: claims.get(batches) }
  for (let cut = 0; cut <= bytes; cut += everyBytes) {
    const goesOn = (cut / everyBytes) % thoroughEvery === 0
    yield { file, bytes: size - cut, claim: claimOf(middle), goesOn }
    if (!goesOn || claims.size === 0) continue
    yield { file, bytes: size - cut, claim: claimOf(specimen.subject.batches), goesOn: false }
    yield { file, bytes: size - cut, claim: { batches: 0, file: undefined }, goesOn: true }
  }
}

function* cutsOfOthers({ directory }: Specimen, everyBytes: number): Generator<Cut> {
  const tail = writeAheadFile(directory)
  for (const file of filesOf(directory)) {
    if (file === tail) continue
    const { length } = readFileSync(join(directory, file))
    const step = Math.ceil(length / otherCutsMax) * (everyBytes === 1 ? 1 : 8)
    for (let bytes = 0; bytes < length; bytes += step) yield { file, bytes, claim: undefined, goesOn: true }
  }
}
