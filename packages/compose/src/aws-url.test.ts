import { expect, it } from 'vitest'
import { mistakeIn, refusalOf } from '../test/mistake-in.ts'
import { queuePlaceOf, tablePlaceOf } from './aws-url.ts'

const usual = { region: undefined, endpoint: undefined, create: false }
const noOthers = { highQueue: undefined, lowQueue: undefined, deadLetterQueue: undefined }
const table = (url: string, field = 'BATON_STORE') => tablePlaceOf({ field, url })
const queue = (url: string, field = 'BATON_QUEUE') => queuePlaceOf({ field, url })

it.each([
  { url: 'dynamodb://baton', says: {} },
  { url: 'DynamoDB://baton/', says: {} },
  { url: 'dynamodb://my.table-2?prefix=billing', says: { table: 'my.table-2', prefix: 'billing' } },
  { url: 'dynamodb://baton?region=eu-west-1&create=true', says: { region: 'eu-west-1', create: true } },
  { url: 'dynamodb://baton?endpoint=http://127.0.0.1:8000', says: { endpoint: 'http://127.0.0.1:8000' } },
  { url: 'dynamodb://baton?endpoint=http%3A%2F%2Fbox%3A8000', says: { endpoint: 'http://box:8000' } },
])('understands the store $url', ({ url, says }) => {
  expect(table(url)).toEqual({ table: 'baton', prefix: undefined, ...usual, ...says })
})

it.each([
  { url: 'sqs://jobs', says: {} },
  { url: 'sqs://jobs.fifo?region=eu-west-1', says: { queue: 'jobs.fifo', region: 'eu-west-1' } },
  { url: 'sqs://jobs?deadLetterQueue=dead&create=true', says: { deadLetterQueue: 'dead', create: true } },
  { url: 'sqs://jobs?highQueue=urgent', says: { highQueue: 'urgent' } },
  { url: 'sqs://jobs.fifo?lowQueue=idle.fifo', says: { queue: 'jobs.fifo', lowQueue: 'idle.fifo' } },
  { url: 'sqs://jobs?endpoint=http://127.0.0.1:9324', says: { endpoint: 'http://127.0.0.1:9324' } },
  {
    url: 'sqs://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
    says: { queue: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs', region: 'eu-west-1' },
  },
  {
    url: 'sqs://box.example/123456789012/jobs?region=eu-west-1',
    says: { queue: 'https://box.example/123456789012/jobs', region: 'eu-west-1' },
  },
])('understands the queue $url', ({ url, says }) => {
  expect(queue(url)).toEqual({ queue: 'jobs', ...noOthers, ...usual, ...says })
})

it('takes the queue with the name of the table for its own, in the same place', () => {
  const url = 'dynamodb://baton?region=eu-west-1&endpoint=http://box&prefix=baton&create=true'

  expect(queue(url, 'BATON_STORE')).toEqual({
    queue: 'baton',
    ...noOthers,
    region: 'eu-west-1',
    endpoint: 'http://box',
    create: true,
  })
})

it.each([
  { url: 'dynamodb:baton', says: 'dynamodb: must be followed by // and a name' },
  { url: 'dynamodb://', says: '"" is no table' },
  { url: 'dynamodb://ab', says: '"ab" is no table' },
  { url: 'dynamodb://arn:aws:x/y', says: 'is no table' },
  { url: 'dynamodb://baton?regoin=x', says: 'there is no ?regoin=' },
  { url: 'dynamodb://baton?region=EU West', says: 'is no region' },
  { url: 'dynamodb://baton?endpoint=127.0.0.1:8000', says: 'must be a http: or https: URL' },
  { url: 'dynamodb://baton?endpoint=http://ada:secret@box', says: 'must be a http: or https: URL' },
  { url: 'dynamodb://baton?prefix=a%20b', says: 'the prefix must have' },
  { url: 'dynamodb://baton?create=yes', says: 'must be true or false' },
])('refuses the store $url with the field and a hint', ({ url, says }) => {
  expect(refusalOf(() => table(url))).toMatchObject(mistakeIn('BATON_STORE', says))
})

it.each([
  { url: 'sqs:jobs', says: 'sqs: must be followed by // and a name' },
  { url: 'sqs://', says: '"" is no queue' },
  { url: 'sqs://my.jobs', says: 'is no queue' },
  { url: 'sqs://jobs?prefix=x', says: 'there is no ?prefix=' },
  { url: 'sqs://jobs?deadLetterQueue=a/b', says: 'is no queue' },
  { url: 'sqs://jobs?highQueue=', says: '"" is no queue' },
  { url: 'sqs://jobs?lowQueue=jobs', says: 'lowQueue= is another of the queues as well: jobs' },
  { url: 'sqs://jobs?highQueue=urgent&deadLetterQueue=urgent', says: 'deadLetterQueue= is another of the queues' },
  { url: 'sqs://jobs.fifo?highQueue=urgent', says: 'highQueue= is of another kind than jobs.fifo' },
  { url: 'sqs://sqs.eu-west-1.amazonaws.com/jobs', says: 'is no queue' },
  { url: 'sqs://sqs.eu-west-1.amazonaws.com/123456789012/jobs?create=true', says: 'go with the name of a queue' },
])('refuses the queue $url with the field and a hint', ({ url, says }) => {
  expect(refusalOf(() => queue(url))).toMatchObject(mistakeIn('BATON_QUEUE', says))
})

it('refuses a table for a queue, a queue for a store, and a table whose name no queue can have', () => {
  expect(refusalOf(() => table('dynamodb://baton', 'BATON_QUEUE'))).toMatchObject(
    mistakeIn('BATON_QUEUE', 'a table is no queue'),
  )
  expect(refusalOf(() => queue('sqs://jobs', 'BATON_STORE'))).toMatchObject(
    mistakeIn('BATON_STORE', 'keeps jobs and no runs'),
  )
  expect(refusalOf(() => queue('dynamodb://my.table', 'BATON_STORE'))).toMatchObject(
    mistakeIn('BATON_STORE', 'no queue can have the name of the table my.table'),
  )
})

it('refuses the own queue of a table to a store with a prefix, whose jobs others would take', () => {
  const refusal = refusalOf(() => queue('dynamodb://baton?prefix=staging', 'BATON_STORE'))

  expect(refusal).toMatchObject(mistakeIn('BATON_STORE', 'is not for a store with a prefix'))
  expect(refusal).toMatchObject({ hint: expect.stringContaining('BATON_QUEUE=sqs://QUEUE') })
})
