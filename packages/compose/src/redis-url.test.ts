import { expect, it } from 'vitest'
import { redisPlaceOf } from './redis-url.ts'

const plain = {
  nodes: [{ host: 'box', port: 6_379 }],
  isCluster: false,
  isEncrypted: false,
  username: undefined,
  password: undefined,
  database: 0,
  prefix: 'baton',
  allowEphemeral: false,
}
const place = (url: string) => redisPlaceOf({ field: 'BATON_STORE', url })

it.each([
  { url: 'redis://box', says: {} },
  { url: 'redis://box:7000/3', says: { nodes: [{ host: 'box', port: 7_000 }], database: 3 } },
  { url: 'redis://[::1]:7000', says: { nodes: [{ host: '::1', port: 7_000 }] } },
  { url: 'redis://:s%40cret@box', says: { password: 's@cret' } },
  { url: 'rediss://ada:p:w@box/', says: { isEncrypted: true, username: 'ada', password: 'p:w' } },
  {
    url: 'redis://a:1,b:2,c',
    says: {
      isCluster: true,
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 6_379 },
      ],
    },
  },
  { url: 'redis://box?cluster=true', says: { isCluster: true } },
  { url: 'redis://box?prefix=billing&allowEphemeral=true', says: { prefix: 'billing', allowEphemeral: true } },
])('understands $url', ({ url, says }) => {
  expect(place(url)).toEqual({ ...plain, ...says })
})

it.each([
  { url: 'redis:box', says: 'followed by // and a host' },
  { url: 'redis://', says: 'is no host and port' },
  { url: 'redis://box:seven', says: 'is no host and port' },
  { url: 'redis://box:70000', says: 'is no host and port' },
  { url: 'redis://box,', says: 'is no host and port' },
  { url: 'redis://box/mine', says: 'must be a number' },
  { url: 'redis://a,b/1', says: 'no databases but 0' },
  { url: 'redis://box?perfix=x', says: 'there is no ?perfix=' },
  { url: 'redis://box?prefix=a:b', says: 'the prefix must have' },
  { url: 'redis://box?cluster=yes', says: 'must be true or false' },
  { url: 'redis://:secret%zz@box', says: 'stands for itself only as %25' },
  { url: 'redis://ada:secret@box:x', says: 'is no host and port' },
])('refuses $url with the field and a hint, and keeps the password to itself', ({ url, says }) => {
  let refused: unknown
  try {
    place(url)
  } catch (error) {
    refused = error
  }

  expect(refused).toMatchObject({
    code: 'INVALID_OPTION',
    field: 'BATON_STORE',
    message: expect.stringContaining(says),
    hint: expect.stringMatching(/^(Write|There are|Leave) /),
  })
  expect(String(refused)).not.toContain('secret')
})
