// Files that are damaged: bits flipped, bytes overwritten, pages zeroed, files swapped or lost, in stores and logs that lie
// in the write-ahead file, in tables, or in both. Each damaged copy is opened by the adapter that wrote it, and everything
// is read, key by key and as a whole. It is all there, or it is refused:
//
//   store   StoreCorrupted, and what is made in its place is empty; it may also open at an earlier position, with exactly
//           what was there then, as the changelog has the rest (P3)
//   log     DW_DATA_CORRUPTED: it is the only copy, and a person decides
import { join } from 'node:path'
import { destroyLevelStore } from '../../src/adapters/level/store.ts'
import { createRandom, type Random } from '../simulation/random.ts'
import type { CampaignOptions, CampaignResult } from './campaign.ts'
import { damage, damages, type DamageKind } from './damage.ts'
import { EmbeddedSubject } from './embedded-specimen.ts'
import { LevelSubject } from './level-specimen.ts'
import type { Extent } from './specimen-value.ts'
import { examine, grow, inParallel, judge, scratchDirectory, withCopy, type Specimen, type Step } from './specimen.ts'

export interface StoreOptions extends CampaignOptions {
  /** Single bits flipped; a quarter as many of the other damages come on top. */
  readonly flips: number
  readonly seed?: number
}

const extent: Extent = { keys: 150, valueBytesMax: 400 }

const shapes: { readonly [name: string]: readonly Step[] } = {
  fresh: [100],
  compacted: [120, 'compact'],
  tables: [80, 'compact', 40, 'reopen', 40, 'reopen'],
  mixed: [80, 'compact', 40, 'reopen', 40, 'reopen', 60],
}

/** Damages stores and logs of all shapes, one copy at a time. */
export async function storeCampaign({ flips, seed = 1, onProgress = () => {} }: StoreOptions): Promise<CampaignResult> {
  const beganMs = Date.now()
  const { directory, remove } = scratchDirectory()
  const violations: string[] = []
  const coverage = { unharmed: 0, wentBack: 0, refused: 0, rebuilt: 0 }
  const kinds = Object.fromEntries(damages.map((kind) => [kind, 0])) as { [kind in DamageKind]: number }
  const cases = Array.from(drawKinds(flips), (kind, index) => ({ kind, index }))
  try {
    const random = createRandom(seed)
    const specimens = await growAll(directory, random)
    await inParallel(cases, async ({ kind, index }) => {
      const specimen = specimens[index % specimens.length]!
      await withCopy(specimen, async (copy) => {
        const what = damage(copy, kind, random.stream(`damage ${index}`))
        const finding = await examine(specimen, copy)
        let wrong = judge(specimen, finding)
        if (finding.kind === 'refused') coverage.refused++
        if (finding.kind === 'opened') {
          coverage[finding.batches === specimen.subject.batches ? 'unharmed' : 'wentBack']++
        }
        if (finding.kind === 'refused' && specimen.subject.mayGoBack) {
          wrong = await rebuild(specimen, copy)
          coverage.rebuilt++
        }
        if (wrong !== undefined) violations.push(`seed ${seed}, case ${index}: ${specimen.name}, ${what}: ${wrong}`)
      })
      if (++kinds[kind] % 500 === 0) onProgress(`${kinds[kind]} damages of the kind ${kind}`)
    })
  } finally {
    remove()
  }
  const seconds = Math.round((Date.now() - beganMs) / 100) / 10
  return { runs: cases.length, faults: cases.length, violations, coverage: { ...kinds, ...coverage, seconds } }
}

function* drawKinds(flips: number): Generator<DamageKind> {
  const others = damages.filter((kind) => kind !== 'flip')
  for (let flip = 0; flip < flips; flip++) yield 'flip'
  for (let other = 0; other < flips / 4; other++) yield others[Math.floor(other / 8) % others.length]!
}

/** Every other one is taken as it is when its process is killed. */
async function growAll(directory: string, random: Random): Promise<readonly Specimen[]> {
  const specimens: Specimen[] = []
  for (const [name, steps] of Object.entries(shapes)) {
    const stream = random.stream(name)
    for (const subject of [new LevelSubject(stream, extent), new EmbeddedSubject(stream, extent, true)]) {
      const isKilled = specimens.length % 4 > 1
      specimens.push(
        await grow(subject, steps, { directory: join(directory, String(specimens.length)), name, isKilled }),
      )
    }
  }
  return specimens
}

async function rebuild(specimen: Specimen, copy: string): Promise<string | undefined> {
  await destroyLevelStore(copy)
  const finding = await examine(specimen, copy)
  const isEmpty = finding.kind === 'opened' && finding.batches === 0
  return isEmpty ? undefined : `made again it is not empty: ${JSON.stringify(finding)}`
}
