// Every invariant of reliability.md that a run can be held against; each file names its own. A check is a generator of
// violations in words, and looks at nothing but the evidence.
import { attemptsCount, completionsReturned, keysAreOnes } from './attempts.ts'
import { answersAreTrue, callsAnswered, callsStartOnce } from './calls.ts'
import { commandsOnce } from './commands.ts'
import { longestWaitingFirst, neverAfterKeep, nobodyWaitsBeside, takenOnce } from './correlation.ts'
import { recordsAreAccountedFor } from './fates.ts'
import type { Check, Evidence, Finished } from './finished.ts'
import { epochsGrow, nothingAborted, orderIsKept } from './logs.ts'
import { lettersHaveReasons, poisonSetAside } from './poison.ts'
import { allAtRest, groupStandsStill, nothingOpen, nothingUnread, waitersAreLive } from './rest.ts'
import { sourcesOf } from './sources.ts'
import { instancesEndOnce, keysRunOnce, recordsStartOnce, versionsStay } from './starts.ts'
import { positionsGrow, removedStaysRemoved, storesFollow } from './stores.ts'
import { neverEarly, noneOverdue } from './timers.ts'

export const checks = {
  recordsStartOnce,
  keysRunOnce,
  callsAnswered,
  answersAreTrue,
  callsStartOnce,
  instancesEndOnce,
  versionsStay,
  commandsOnce,
  keysAreOnes,
  attemptsCount,
  completionsReturned,
  storesFollow,
  positionsGrow,
  removedStaysRemoved,
  noneOverdue,
  neverEarly,
  takenOnce,
  nobodyWaitsBeside,
  longestWaitingFirst,
  neverAfterKeep,
  recordsAreAccountedFor,
  orderIsKept,
  epochsGrow,
  nothingAborted,
  poisonSetAside,
  lettersHaveReasons,
  allAtRest,
  waitersAreLive,
  nothingUnread,
  nothingOpen,
  groupStandsStill,
} satisfies { readonly [name: string]: Check }

/** A finished run with what the checks work out of it. */
export function evidenceOf(run: Finished): Evidence {
  const workflows = new Map(run.releases.flat().map((workflow) => [workflow.version, workflow]))
  return { ...run, workflows, instances: run.committed.lives('instances'), sources: sourcesOf(run) }
}

/** Every violation of every invariant. */
export function checkAll(run: Finished): readonly string[] {
  const evidence = evidenceOf(run)
  return Object.values(checks).flatMap((check) => [...check(evidence)])
}
