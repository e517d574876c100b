/** The names by which blueprints use what comes with Baton. */
export const APPROVAL = 'baton/approval'
export const CHILD = 'baton/child'
export const SLEEP = 'baton/sleep'
export const WAIT_FOR_SIGNAL = 'baton/wait-for-signal'
