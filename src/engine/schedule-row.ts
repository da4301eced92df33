// The schedules of one workflow, in one row on the partition of its name; and which due time of them began an instance.

export interface ScheduleRow {
  readonly workflow: string
  /** One for each schedule of the current version. */
  entries: readonly ScheduleEntry[]
}

export interface ScheduleEntry {
  /** `ScheduleTrigger.id` */
  readonly trigger: string
  /** The first due time that was not looked at. A timer is armed for it. */
  readonly nextMs: number
  /** When due times were looked at last: all before `nextMs` were. */
  readonly lookedAtMs: number
  /** The due time that was started last. */
  readonly lastMs: number | undefined
  /** The due time whose instance runs or is on its way; undefined: none, or they may overlap. */
  readonly runningMs: number | undefined
  /** The newest due time that waits for that instance to end. */
  readonly pendingMs: number | undefined
}

/** What started an instance: a due time of a schedule of its workflow. */
export interface Due {
  readonly trigger: string
  readonly dueAtMs: number
}
