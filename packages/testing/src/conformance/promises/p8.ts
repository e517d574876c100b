import type { Suite } from '../suite.ts'

const WAITS = 'envelopes do not exist yet'

export const p8: Suite = {
  name: 'P8: an envelope continued by two processes makes one run',
  cases: [
    { title: 'an envelope that two processes continue makes one run', pending: WAITS, run: () => Promise.resolve() },
    {
      title: 'an envelope that was continued before gives the same run again',
      pending: WAITS,
      run: () => Promise.resolve(),
    },
  ],
}
