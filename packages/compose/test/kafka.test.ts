/** `kafka:` URLs, on a real broker. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createKafkaJsClient } from '@baton/adapter-kafka'
import { parseRunId } from '@baton/core'
import { startKafka } from '@baton/services'
import { afterAll, describe, expect, it } from 'vitest'
import { checkPorts, openPorts } from '../src/open-ports.ts'
import { temporaryFolder } from './folder.ts'

const kafka = await startKafka({ users: { ada: 'secret' }, tls: true })
afterAll(() => kafka[Symbol.asyncDispose]())

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'kafka: URLs', () => {
  const url = (rest: string, brokers = kafka.brokers) => `kafka://${brokers.join(',')}/${rest}`

  it('carry jobs beside a store of another URL, in topics that are made when that is wanted', async () => {
    const folder = temporaryFolder()
    const values = {
      BATON_STORE: `file:${folder}`,
      BATON_QUEUE: url('made?create=true&partitions=2&deadLetterTopic=made-dead'),
    }
    expect(await checkPorts(values)).toEqual([])
    const { queue, store, coordinationStore } = await openPorts(values)
    const runId = parseRunId('r')
    await queue.enqueue([{ runId, blueprintId: 'flow', nodeId: 'a', instanceId: 'a', dispatch: 0 }])
    const stop = new AbortController()
    const delivered: string[] = []
    await queue.consume(
      async (delivery) => {
        delivered.push(delivery.job.runId)
        await delivery.acknowledge()
        stop.abort()
      },
      { concurrency: 1, signal: stop.signal },
    )
    expect(delivered).toEqual(['r'])
    expect(queue.acknowledge).toBe('claim')
    for (const port of [queue, store, coordinationStore]) await port.close()
  })

  it('say where journals are published, in a topic that is made when that is wanted', async () => {
    const { brokers } = kafka
    const values = { BATON_STORE: 'memory:', BATON_JOURNAL: url('lake?create=true') }
    const { journalSink, queue, store, coordinationStore } = await openPorts(values)
    const runId = parseRunId('r')
    const event = { seq: 1, atMs: 1, type: 'run-paused' } as const
    await journalSink?.publish(runId, [{ id: 'r/1', runId, seq: 1, event }])
    const client = createKafkaJsClient({ brokers: [...brokers] })
    const reach = await client.reach('lake')
    expect([...(reach?.values() ?? [])].reduce((sum, { end }) => sum + end, 0)).toBe(1)
    for (const port of [journalSink, queue, store, coordinationStore, client]) await port?.close()

    expect(await checkPorts({ BATON_STORE: 'memory:', BATON_JOURNAL: url('absent') })).toMatchObject([
      { code: 'INVALID_OPTION', field: 'BATON_JOURNAL', message: expect.stringContaining('there is no topic absent') },
    ])
    const both = { BATON_QUEUE: url('both?create=true'), BATON_JOURNAL: url('both?create=true') }
    expect(await checkPorts({ BATON_STORE: `file:${temporaryFolder()}`, ...both })).toMatchObject([
      { code: 'INVALID_OPTION', field: 'BATON_JOURNAL', message: expect.stringContaining('is of BATON_QUEUE already') },
    ])
    expect(await openPorts({ BATON_STORE: 'memory:' })).not.toHaveProperty('journalSink')
  })

  it('say what is wrong, in the words of the URL', async () => {
    const folder = temporaryFolder()
    const first = async (BATON_QUEUE: string) => (await checkPorts({ BATON_STORE: `file:${folder}`, BATON_QUEUE }))[0]

    expect(await first(url('absent'))).toMatchObject({
      code: 'INVALID_OPTION',
      field: 'BATON_QUEUE',
      message: expect.stringContaining('there is no topic absent'),
      hint: expect.stringContaining('?create=true'),
    })
    const [broker = ''] = kafka.passwordBrokers
    const refused = await first(`kafka://ada:wrong@${broker}/any`)
    expect(refused).toMatchObject({
      code: 'INVALID_OPTION',
      field: 'BATON_QUEUE',
      hint: expect.stringContaining('password'),
    })
    expect(JSON.stringify(refused)).not.toContain('wrong@')
    // A queue that is down for a while is nobody's mistake.
    expect(await first('kafka://127.0.0.1:1/any')).toBeUndefined()
  })

  it('go over TLS where that is asked for, with the CA that the process was started with', async () => {
    const folder = temporaryFolder()
    const authority = join(folder, 'authority.pem')
    writeFileSync(authority, kafka.authority)
    const values = { BATON_STORE: 'memory:', BATON_QUEUE: url('safe?tls=true&create=true', kafka.secureBrokers) }

    expect(await checkPorts(values, { mustExist: true })).toMatchObject([
      {
        code: 'INVALID_OPTION',
        field: 'BATON_QUEUE',
        message: expect.stringContaining('certificate'),
        hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      },
    ])
    expect(await mistakesFound(values, { NODE_EXTRA_CA_CERTS: authority })).toEqual([])
  })
})

/** What another process finds, which is started with these variables, once it has opened the ports. */
async function mistakesFound(values: object, variables: NodeJS.ProcessEnv): Promise<unknown> {
  const ports = JSON.stringify(join(import.meta.dirname, '../src/open-ports.ts'))
  const program = `
    const { checkPorts, openPorts } = await import(${ports})
    const values = ${JSON.stringify(values)}
    for (const port of Object.values(await openPorts(values))) await port.close()
    const found = await checkPorts(values, { mustExist: true })
    console.log(JSON.stringify(found.map(({ message }) => message)))`
  const flags = ['--conditions=@baton/source', '--import', 'tsx', '--input-type=module', '-e', program]
  const env = { ...process.env, ...variables }
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env, cwd: import.meta.dirname })
  return JSON.parse(stdout)
}
