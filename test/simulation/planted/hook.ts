// Plants the bug that DW_PLANTED names into any program of this checkout, while its modules are loaded:
//
//   DW_PLANTED=kept-taken-twice node --import ./test/simulation/planted/hook.ts test/simulation/main.ts --story --seed 1
//
// Without DW_PLANTED nothing is changed. This is the only switch there is.
import { registerHooks } from 'node:module'
import { plantInto, type Plant } from './plant.ts'
import { expectPlant } from './plants.ts'

/** Files that were loaded with a bug in them: a plant in a file that nobody loads proves nothing. */
export const plantedFiles = new Set<string>()

const root = new URL('../../../', import.meta.url)

function plant(bug: Plant): void {
  const target = new URL(bug.file, root).href
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (url !== target) return loaded
      // As text, with its types: they are taken out after this.
      const { source } = loaded
      const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
      plantedFiles.add(bug.file)
      return { ...loaded, source: plantInto(text, bug) }
    },
  })
}

const name = process.env['DW_PLANTED']
if (name !== undefined) plant(expectPlant(name))
