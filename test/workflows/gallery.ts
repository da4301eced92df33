// Every example of workflows/ with its courses.
import type { Example } from './course.ts'
import { approval } from './courses/approval.ts'
import { chat } from './courses/chat.ts'
import { labels } from './courses/labels.ts'
import { nightly } from './courses/nightly.ts'
import { order } from './courses/order.ts'
import { polling } from './courses/polling.ts'
import { returned } from './courses/return.ts'
import { tracking } from './courses/tracking.ts'
import { trip } from './courses/trip.ts'

export const gallery: { readonly [file: string]: Example } = {
  'order.yaml': order,
  'return.yaml': returned,
  'approval.yaml': approval,
  'nightly.yaml': nightly,
  'labels.yaml': labels,
  'polling.yaml': polling,
  'chat.yaml': chat,
  'trip.yaml': trip,
  'tracking.yaml': tracking,
}
