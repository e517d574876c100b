import { expect, it } from 'vitest'
import { addressesOf } from './addresses.ts'

const folder = { field: 'BATON_STORE', url: 'file:./data' }
const redis = { field: 'BATON_REDIS_URL', url: 'redis://box' }

it.each([
  { what: 'a folder in the working directory by default', values: {}, store: { ...folder, url: 'file:.baton' } },
  { what: 'the store for the queue as well', values: { BATON_STORE: 'file:./data' }, store: folder },
  { what: 'Redis, if nothing else is named', values: { BATON_REDIS_URL: 'redis://box' }, store: redis },
  {
    what: 'the store rather than Redis',
    values: { BATON_STORE: 'file:./data', BATON_REDIS_URL: 'redis://box' },
    store: folder,
  },
  {
    what: 'a queue of its own',
    values: { BATON_STORE: 'file:./data', BATON_QUEUE: 'redis://box' },
    store: folder,
    queue: { field: 'BATON_QUEUE', url: 'redis://box' },
  },
])('takes $what', ({ values, store, queue = store }) => {
  expect(addressesOf(values)).toEqual({ store, queue })
})
