// Appliers of search attributes.
// X1. `attributes` has a row for each attribute of each instance, and no other.
import type { Applier } from '../applier.ts'
import { attributeId, type AttributeValue } from '../attribute-row.ts'
import type { WritableState } from '../state.ts'

export const attributesSet: Applier<'attributes.set'> = ({ instanceId, values }, state) => {
  const row = state.instances.edit(instanceId)
  for (const [name, value] of row.attributes) {
    if (values.get(name) !== value) state.attributes.clear(attributeId(name, value, instanceId))
  }
  for (const [name, value] of values) {
    if (row.attributes.get(name) !== value)
      state.attributes.insert(attributeId(name, value, instanceId), { isThere: true })
  }
  row.attributes = values
}

/** Its instance is forgotten. X1 */
export function dropAttributes(
  instanceId: string,
  values: ReadonlyMap<string, AttributeValue>,
  state: WritableState,
): void {
  for (const [name, value] of values) state.attributes.clear(attributeId(name, value, instanceId))
}
