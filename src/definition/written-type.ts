import type { Task } from './workflow.ts'

/** A task's type as its author wrote it: one that is built in, or the name of a handler. */
export const writtenType = (task: Task): string => (task.type === 'handler' ? task.handler : task.type)
