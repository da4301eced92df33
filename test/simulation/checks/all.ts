// Every invariant of reliability.md that a run can be held against, and rules of the engine by their own labels; each
// file names its own. A check is a generator of
// violations in words, and looks at nothing but the evidence.
import { attemptsCount, completionsReturned, keysAreOnes, runsStandAlone } from './attempts.ts'
import { answersAreTrue, callsAnswered, callsStartOnce } from './calls.ts'
import { childrenAreAskedFor, childrenEndWithParents, parentsHearOfChildren } from './children.ts'
import { commandsOnce } from './commands.ts'
import { allIsUndone, nothingElseUndone } from './compensation.ts'
import { longestWaitingFirst, neverAfterKeep, nobodyWaitsBeside, takenOnce } from './correlation.ts'
import { deadlinesAsDefined, deadlinesEnd, monitorsRunOnce } from './deadlines.ts'
import { dueAsDefined } from './due.ts'
import { beginInTurn, edgesAreLeft, edgesDecide, scopesEndWhole } from './edges.ts'
import { fatesOf, recordsAreAccountedFor } from './fates.ts'
import type { Check, Evidence, Finished } from './finished.ts'
import { handlesAreFew, nobodyTrespasses, rejectionsAreHeard } from './handles.ts'
import { epochsGrow, nothingAborted, orderIsKept } from './logs.ts'
import { nothingOpenOutside, tablesAgree, timersAreNamed, timersHaveTargets, workIsOpen } from './open-work.ts'
import { lettersHaveReasons, poisonSetAside } from './poison.ts'
import { itemsKeepInLine, joinsDecide } from './joins.ts'
import { takenAlong } from './purges.ts'
import { allAtRest, groupStandsStill, nothingOpen, nothingUnread, waitersAreLive } from './rest.ts'
import { nobodyIsPassedBy } from './served.ts'
import { nothingDueIsLost, scheduledOnce, schedulesHearOfEnds, schedulesKeepApart } from './schedules.ts'
import { noSignalIsPassedBy, signalsTakenOnce } from './signals.ts'
import { sourcesOf } from './sources.ts'
import { instancesEndOnce, keysRunOnce, recordsStartOnce, tasksAreOfTheirVersion, versionsStay } from './starts.ts'
import { positionsGrow, removedStaysRemoved, storesFollow } from './stores.ts'
import { neverEarly, noneOverdue } from './timers.ts'
import { updatesLeaveNothingOut, updatesTellHistories } from './updates.ts'

export const checks = {
  recordsStartOnce,
  keysRunOnce,
  callsAnswered,
  answersAreTrue,
  callsStartOnce,
  childrenAreAskedFor,
  childrenEndWithParents,
  parentsHearOfChildren,
  signalsTakenOnce,
  noSignalIsPassedBy,
  scheduledOnce,
  nothingDueIsLost,
  schedulesKeepApart,
  schedulesHearOfEnds,
  instancesEndOnce,
  versionsStay,
  tasksAreOfTheirVersion,
  edgesDecide,
  beginInTurn,
  scopesEndWhole,
  edgesAreLeft,
  joinsDecide,
  itemsKeepInLine,
  nothingElseUndone,
  allIsUndone,
  commandsOnce,
  keysAreOnes,
  attemptsCount,
  runsStandAlone,
  completionsReturned,
  storesFollow,
  positionsGrow,
  removedStaysRemoved,
  noneOverdue,
  neverEarly,
  dueAsDefined,
  deadlinesAsDefined,
  deadlinesEnd,
  monitorsRunOnce,
  timersAreNamed,
  workIsOpen,
  nothingOpenOutside,
  timersHaveTargets,
  tablesAgree,
  takenOnce,
  nobodyWaitsBeside,
  longestWaitingFirst,
  neverAfterKeep,
  takenAlong,
  nobodyIsPassedBy,
  recordsAreAccountedFor,
  orderIsKept,
  epochsGrow,
  nobodyTrespasses,
  nothingAborted,
  poisonSetAside,
  lettersHaveReasons,
  updatesLeaveNothingOut,
  updatesTellHistories,
  allAtRest,
  waitersAreLive,
  nothingUnread,
  nothingOpen,
  groupStandsStill,
  handlesAreFew,
  rejectionsAreHeard,
} satisfies { readonly [name: string]: Check }

/** A finished run with what the checks work out of it. */
export function evidenceOf(run: Finished): Evidence {
  const workflows = new Map(run.releases.flat().map((workflow) => [workflow.version, workflow]))
  const evidence = { ...run, workflows, instances: run.committed.lives('instances'), sources: sourcesOf(run) }
  return { ...evidence, fates: fatesOf(evidence) }
}

/** Every violation of every invariant. */
export function checkAll(run: Finished): readonly string[] {
  const evidence = evidenceOf(run)
  return Object.values(checks).flatMap((check) => [...check(evidence)])
}
