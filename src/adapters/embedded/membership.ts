// The group of an embedded log: this process, which owns everything. Another one cannot open the data directory.
import type { Membership } from '../../runtime/ports.ts'

export function soleMembership(partitions: number): Membership {
  return {
    async join(onAssignment) {
      onAssignment({
        generation: 1,
        owned: Array.from({ length: partitions }, (_, partition) => partition),
        standby: [],
      })
    },
    confirms: async () => true,
    leave: async () => {},
  }
}
