/** Brokers that speak TLS only. */
import { rootCertificates } from 'node:tls'
import { systemClock, wait } from '@baton/core/adapter'
import { startKafka } from '@baton/services'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureTopics } from '../../src/index.ts'
import { eventually, job, Stand } from '../job-queue/stand.ts'

const OUTAGE = 'the job queue failed, will look again'
/** Somebody who has signed other certificates. */
const [STRANGER = ''] = rootCertificates
const kafka = await startKafka({ tls: true })
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'brokers that speak TLS', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await Stand.on(kafka.brokers)
  })
  afterEach(() => stand[Symbol.asyncDispose]())

  const over = (ca: string) => ({ brokers: [...kafka.secureBrokers], ssl: { ca } })

  it('carry a job to whoever knows who has signed their certificate', async () => {
    const queue = stand.open({ client: over(kafka.authority) })
    const consuming = stand.consume(queue)
    await queue.enqueue([job('a')])

    await eventually(() => consuming.deliveries.length).toBe(1)
  })

  it('whose certificate a stranger has signed: all who ask are told so at once, and ask a few times a second at most', {
    timeout: 60_000,
  }, async () => {
    const queue = stand.open({ client: over(STRANGER) })
    const refusal = {
      code: 'INVALID_OPTION',
      field: 'client',
      message: expect.stringContaining('certificate'),
      hint: expect.stringContaining('ssl.ca'),
    }
    const startedAtMs = Date.now()
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject(refusal)
    await expect(ensureTopics({ client: over(STRANGER), topic: 'any' })).rejects.toMatchObject(refusal)
    expect(Date.now() - startedAtMs).toBeLessThan(5_000)
    stand.consume(queue)
    await wait(systemClock, 5_000)

    expect(stand.lines(OUTAGE, 'warn')).toHaveLength(1)
    expect(stand.lines(OUTAGE).length).toBeLessThan(20)
    expect(stand.lines(OUTAGE)[0]?.fields).toMatchObject({
      error: expect.stringContaining('certificate'),
      hint: expect.stringContaining('ssl.ca'),
    })
  })

  it('go on with a client that was refused, once its certificates are right', async () => {
    const client = over(STRANGER)
    const queue = stand.open({ client })
    const consuming = stand.consume(queue)
    await expect(queue.enqueue([job('a')])).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    client.ssl.ca = kafka.authority
    // One that has begun before is refused yet.
    const send = () =>
      queue.enqueue([job('b')]).then(
        () => 'sent',
        () => 'refused',
      )
    await eventually(send).toBe('sent')

    await eventually(() => consuming.deliveries.map((delivery) => delivery.job.nodeId)).toEqual(['b'])
  })
})
