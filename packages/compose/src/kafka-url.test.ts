import { expect, it } from 'vitest'
import { mistakeIn, refusalOf } from '../test/mistake-in.ts'
import { checkJournalApart, kafkaPlaceOf } from './kafka-url.ts'

const place = (url: string, field = 'BATON_QUEUE') => kafkaPlaceOf({ field, url })
const usual = {
  brokers: ['box:9092'],
  username: undefined,
  password: undefined,
  mechanism: 'plain',
  isEncrypted: false,
  topics: { topic: 'baton' },
  groupId: undefined,
  create: false,
  partitions: undefined,
}

it.each([
  { url: 'kafka://box', says: {} },
  { url: 'Kafka://box:9093/', says: { brokers: ['box:9093'] } },
  { url: 'kafka://a,b:1,[::1]/jobs', says: { brokers: ['a:9092', 'b:1', '[::1]:9092'], topics: { topic: 'jobs' } } },
  { url: 'kafka://ada:s%40fe@box?tls=true', says: { username: 'ada', password: 's@fe', isEncrypted: true } },
  {
    url: 'kafka://a:b@box?mechanism=scram-sha-512',
    says: { username: 'a', password: 'b', mechanism: 'scram-sha-512' },
  },
  {
    url: 'kafka://box/jobs?deadLetterTopic=dead&highTopic=urgent&lowTopic=calm&groupId=blue',
    says: {
      topics: { topic: 'jobs', deadLetterTopic: 'dead', highTopic: 'urgent', lowTopic: 'calm' },
      groupId: 'blue',
    },
  },
  { url: 'kafka://box?create=true&partitions=6', says: { create: true, partitions: 6 } },
])('understands $url', ({ url, says }) => {
  expect(place(url)).toEqual({ ...usual, ...says })
})

it.each([
  { url: 'kafka:box', says: 'followed by // and a host' },
  { url: 'kafka://', says: 'followed by // and a host' },
  { url: 'kafka://box:99999', says: 'is no host and port' },
  { url: 'kafka://box/a/b', says: '"a/b" is no topic' },
  { url: 'kafka://box?topic=x', says: 'there is no ?topic=' },
  { url: 'kafka://box?highTopic=', says: '"" is no topic' },
  { url: 'kafka://box/x?deadLetterTopic=x', says: 'two of the topics are the same' },
  { url: 'kafka://box?mechanism=oauth', says: 'is no mechanism' },
  { url: 'kafka://box?partitions=0', says: 'is no number of partitions' },
  { url: 'kafka://box?create=yes', says: 'must be true or false' },
])('refuses $url with the field and a hint', ({ url, says }) => {
  expect(refusalOf(() => place(url))).toMatchObject(mistakeIn('BATON_QUEUE', says))
})

it('refuses Kafka for a store, and never says the password', () => {
  expect(refusalOf(() => place('kafka://box', 'BATON_STORE'))).toMatchObject(
    mistakeIn('BATON_STORE', 'carries jobs and keeps no runs'),
  )
  expect(JSON.stringify(refusalOf(() => place('kafka://ada:secret@box/a/b')))).not.toContain('secret')
})

it('keeps journals and jobs apart', () => {
  const both = (journal: string, queue: string) =>
    checkJournalApart({ field: 'BATON_JOURNAL', url: journal }, { field: 'BATON_QUEUE', url: queue })
  const shared = mistakeIn('BATON_JOURNAL', 'the topic baton is of BATON_QUEUE already')
  expect(refusalOf(() => both('kafka://box/baton', 'kafka://box'))).toMatchObject(shared)
  expect(refusalOf(() => both('kafka://b,box/baton', 'kafka://a,box/x?lowTopic=baton'))).toMatchObject(shared)

  both('kafka://box', 'kafka://box')
  both('kafka://other/baton', 'kafka://box/baton')
})

it('names the topic of journals, and nothing that only jobs have', () => {
  expect(place('kafka://box', 'BATON_JOURNAL')).toEqual({ ...usual, topics: { topic: 'baton-journal' } })
  expect(place('kafka://box/lake?create=true', 'BATON_JOURNAL')).toMatchObject({
    topics: { topic: 'lake' },
    create: true,
  })
  for (const name of ['groupId', 'highTopic', 'deadLetterTopic']) {
    expect(() => place(`kafka://box/lake?${name}=x`, 'BATON_JOURNAL')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', field: 'BATON_JOURNAL' }),
    )
  }
})
