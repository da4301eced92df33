import { look, produce, see, signal, type Example, type Step } from '../course.ts'

const expense = (expenseId: string): Step =>
  produce('expenses', { expenseId, amount: 80, manager: 'ann', director: 'dan' })

export const approval: Example = {
  hurry: { 'completeBy: 1d': 'completeBy: 500ms', 'timeout: 3d': 'timeout: 1500ms' },
  courses: [
    {
      title: 'an expense that the manager approves is paid, and nobody is reminded',
      workflow: 'approval',
      key: 'e-10',
      steps: [expense('e-10'), see('approval-requests'), signal('verdict', { approved: true, by: 'ann' })],
      commands: (key) => [
        ['approval-requests', key, { expenseId: key, to: 'ann' }],
        ['expense-payments', key, { expenseId: key, amount: 80 }],
      ],
      end: {
        status: 'COMPLETED',
        output: { approved: true, by: 'ann' },
        tasks: { escalate: 'SKIPPED', directorDecides: 'SKIPPED', decline: 'SKIPPED' },
      },
    },
    {
      title: 'an expense that nobody looks at: one reminder, then the director, who says no',
      workflow: 'approval',
      key: 'e-11',
      inAHurry: true,
      steps: [
        expense('e-11'),
        see('approval-reminders'),
        look('directorDecides'),
        signal('verdict', { approved: false, by: 'dan' }),
      ],
      commands: (key) => [
        ['approval-requests', key, { expenseId: key, to: 'ann' }],
        ['approval-reminders', key, { expenseId: key, to: 'ann' }],
        ['approval-requests', key, { expenseId: key, to: 'dan' }],
        ['expense-refusals', key, { expenseId: key, by: 'dan' }],
      ],
      end: {
        status: 'COMPLETED',
        output: { approved: false, by: 'dan' },
        tasks: { managerDecides: 'FAILED', pay: 'SKIPPED' },
      },
    },
  ],
}
