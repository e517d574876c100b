import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createKafkaJsClient } from '@baton/adapter-kafka'
import { houseProgram, startDynamo, startKafka, startRedis, startSqs } from '@baton/services'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'

// Four processes, a lease of two seconds, and a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 })

const redis = await startRedis({ appendOnly: true, settings: { requirepass: 'sesame' } })
const dynamo = await startDynamo({ kind: 'dynoxide' })
const sqs = await startSqs({ kind: 'fauxqs' })
const kafka = await startKafka()
afterAll(async () => {
  for (const server of [redis, dynamo, sqs, kafka]) await server[Symbol.asyncDispose]()
})
const credentials = { AWS_ACCESS_KEY_ID: 'demo', AWS_SECRET_ACCESS_KEY: 'demo' }

const house = join(import.meta.dirname, '../../..')

function temporaryFolder(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-main-job-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

/** It starts the apps as it was started itself. */
const { file, nodeFlags } = houseProgram(join(import.meta.dirname, '../src/demo.ts'))
const program = [...nodeFlags, file]

interface Around {
  temp?: string
  typedIn?: string
  store?: string
  path?: string
  env?: Record<string, string>
}

function demo(options: Around, ...args: string[]) {
  const { temp = temporaryFolder(), typedIn = house, store = 'nonsense', path = process.env.PATH, env = {} } = options
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: house,
    env: { ...process.env, TMPDIR: temp, INIT_CWD: typedIn, BATON_STORE: store, PATH: path, ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const notes = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${at}.md`, `# Note ${at}\n\n[next](${at + 1}.md)\n`]))

it('loses a worker half-way and ends with the report of a recount', () => {
  const temp = temporaryFolder()
  const folder = temporaryFolder(notes(12))

  const { status, stdout, stderr } = demo({ temp }, '--dir', folder, '--json')

  expect(stderr).toContain('dies on purpose')
  expect(status).toBe(0)
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(result).toEqual({
    runId: expect.any(String),
    status: 'completed',
    files: 12,
    killedWorker: expect.stringMatching(/^worker-[12]$/),
    recoveredNodes: expect.any(Number),
    durationMs: expect.any(Number),
  })
  expect(result.recoveredNodes).toBeGreaterThanOrEqual(1)
  // Of what it wrote the report is left, and nothing else.
  const [home = ''] = readdirSync(temp).filter((name) => name.startsWith('baton-demo-'))
  expect(readdirSync(join(temp, home))).toEqual(['report.md'])
  expect(readFileSync(join(temp, home, 'report.md'), 'utf8')).toContain('- `11.md`: the link `12.md` leads nowhere')
})

describe.skipIf(redis.skipReason !== undefined)(redis.skipReason ?? 'on Redis', () => {
  it('starts one of its own where none is named, and leaves nothing of it', () => {
    const temp = temporaryFolder()

    const { status, stdout } = demo({ temp, store: '' }, '--dir', temporaryFolder(notes(12)), '--store', 'redis')

    expect(stdout).toMatch(/Their runs are on a Redis of their own, redis:\/\/127\.0\.0\.1:\d+\./)
    expect(stdout).toContain('dies on purpose')
    expect(stdout).toMatch(/claimed by worker-[12], finished by worker-[12] after the lease/)
    expect(status).toBe(0)
    expect(readdirSync(temp)).not.toContainEqual(expect.stringMatching(/^baton-redis-/))
  })

  it('takes the one that BATON_STORE names, and says how to look at the run', () => {
    const store = redis.url.replace('//', '//:sesame@')
    const { status, stdout, stderr } = demo({ store }, '--dir', temporaryFolder(notes(4)), '--store', 'redis', '--json')

    expect(status).toBe(0)
    expect(stderr).toContain(`Their runs are on ${redis.url.replace('//', '//***@')}?prefix=baton-demo.`)
    expect(stderr).toMatch(/BATON_STORE='redis:.*' node apps\/client\/dist\/main\.js watch demo-/)
    expect(`${stdout}${stderr}`).not.toContain('sesame')
  })
})

describe.skipIf(dynamo.skipReason !== undefined)(dynamo.skipReason ?? 'on DynamoDB and SQS', () => {
  it('starts servers of its own where none is named, and leaves nothing of them', () => {
    const temp = temporaryFolder()

    const { status, stdout } = demo({ temp, store: '' }, '--dir', temporaryFolder(notes(12)), '--store', 'dynamo')

    expect(stdout).toMatch(/Their runs are in a DynamoDB of their own, http:\S+, and their jobs in an SQS, http:\S+\./)
    expect(stdout).toContain('dies on purpose')
    expect(stdout).toMatch(/claimed by worker-[12], finished by worker-[12] after the lease/)
    expect(status).toBe(0)
    expect(readdirSync(temp)).not.toContainEqual(expect.stringMatching(/^baton-(dynoxide|fauxqs)-/))
  })

  it('takes those that BATON_STORE and BATON_QUEUE name, and says how to look at the run', () => {
    const of = (endpoint: string) => `demo?region=us-east-1&create=true&endpoint=${endpoint}`
    const env = { ...credentials, BATON_QUEUE: `sqs://${of(sqs.endpoint)}` }
    const store = `dynamodb://${of(dynamo.endpoint)}`
    const { status, stderr } = demo({ store, env }, '--dir', temporaryFolder(notes(4)), '--store', 'dynamo', '--json')

    expect(status).toBe(0)
    expect(stderr).toContain(`Their runs are on ${store}&prefix=baton-demo.`)
    expect(stderr).toMatch(
      /BATON_STORE='dynamodb:.*' BATON_QUEUE='sqs:.*' node apps\/client\/dist\/main\.js watch demo-/,
    )
  })
})

describe.skipIf(kafka.skipReason !== undefined)(kafka.skipReason ?? 'with jobs in Kafka', () => {
  const onKafka = ['--queue', 'kafka', '--json']
  const brokers = kafka.skipReason === undefined ? `kafka://${kafka.brokers.join()}` : ''

  it.skipIf(redis.skipReason !== undefined)(
    'starts a Kafka and a Redis where none is named, and leaves nothing of them',
    () => {
      const temp = temporaryFolder()
      const env = { BATON_TEST_KAFKA_URL: '' }

      const { status, stderr } = demo(
        { temp, store: '', env },
        '--dir',
        temporaryFolder(notes(12)),
        '--store',
        'redis',
        ...onKafka,
      )

      expect(stderr).toContain('Kafka is starting …')
      expect(stderr).toMatch(
        /Their runs are on a Redis of their own, redis:\S+ Their jobs are in a Kafka of their own, kafka:\S+\./,
      )
      expect(stderr).toContain('dies on purpose')
      expect(stderr).toMatch(/claimed by worker-[12], finished by worker-[12] after the lease/)
      expect(status).toBe(0)
      expect(readdirSync(temp)).not.toContainEqual(expect.stringMatching(/^baton-(kafka|redis)-/))
    },
  )

  it.skipIf(dynamo.skipReason !== undefined)(
    'takes those that BATON_STORE and BATON_QUEUE name, and says how to look at the run',
    async () => {
      const env = { ...credentials, BATON_QUEUE: brokers }
      const store = `dynamodb://demo?region=us-east-1&create=true&endpoint=${dynamo.endpoint}`
      const client = createKafkaJsClient({ brokers: [...kafka.brokers] })
      onTestFinished(() => client.close())
      const sent = async () => {
        const reach = [...((await client.reach('baton-demo'))?.values() ?? [])]
        return reach.reduce((sum, { end }) => sum + end, 0)
      }
      const before = await sent()

      const { status, stderr } = demo(
        { store, env },
        '--dir',
        temporaryFolder(notes(4)),
        '--store',
        'dynamo',
        ...onKafka,
      )

      expect(status).toBe(0)
      expect(stderr).toContain(`Their jobs are on ${brokers}/baton-demo?create=true.`)
      expect(stderr).toMatch(
        /BATON_STORE='dynamodb:.*' BATON_QUEUE='kafka:.*' node apps\/client\/dist\/main\.js watch demo-/,
      )
      // The start of the run went that way.
      expect(await sent()).toBeGreaterThan(before)
    },
  )
})

it('does so with a single file, and keeps what it is asked to keep', () => {
  const temp = temporaryFolder()
  const folder = temporaryFolder({ 'only.md': '# Only' })
  const report = join(folder, 'report.txt')

  const { status, stdout } = demo({ temp, typedIn: folder }, '--dir', '.', '--report', 'report.txt', '--keep')

  expect(status).toBe(0)
  expect(stdout).toContain('analyse[0] recovered by worker-')
  expect(stdout).toContain('What to type next')
  expect(existsSync(report)).toBe(true)
  const [home = ''] = readdirSync(temp).filter((name) => name.startsWith('baton-demo-'))
  expect(readdirSync(join(temp, home))).toEqual(expect.arrayContaining(['store', 'worker-1.log', 'worker-2.log']))
})

it('writes the report among the files again and again, and leaves it out of them', () => {
  const folder = temporaryFolder({ ...notes(4), 'index.md': '[what was found](report.md)' })
  const run = () => demo({}, '--dir', folder, '--report', join(folder, 'report.md'))

  const [first, second] = [run(), run()]

  expect([first.stdout, second.stdout]).toEqual(Array(2).fill(expect.stringContaining('5 Markdown files')))
  expect([first.status, second.status]).toEqual([0, 0])
  expect(first.stdout).toContain('`index.md`: the link `report.md` leads nowhere')
  expect(second.stdout).not.toContain('`index.md`: the link')
  expect(readdirSync(folder).sort()).toEqual(['0.md', '1.md', '2.md', '3.md', 'index.md', 'report.md'])
})

it('leaves no worker behind when it is killed itself', async () => {
  const child = spawn(process.execPath, [...program, '--dir', temporaryFolder(notes(12)), '--json'], {
    cwd: house,
    env: { ...process.env, TMPDIR: temporaryFolder() },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const workers: number[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    const pid = /worker-[12] is up \(pid (\d+)\)/.exec(line)?.[1]
    if (pid !== undefined) workers.push(Number(pid))
    if (workers.length === 2) break
  }

  child.kill('SIGKILL')

  await vi.waitUntil(() => !workers.some(isAlive), { timeout: 30_000 })
  expect(workers).toHaveLength(2)
})

it.each([
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
  { signal: 'SIGHUP', code: 129 },
] as const)('ends with $code on $signal, and puts away what it made', async ({ signal, code }) => {
  const temp = temporaryFolder()
  const child = spawn(process.execPath, [...program, '--dir', temporaryFolder(notes(12)), '--json'], {
    cwd: house,
    env: { ...process.env, TMPDIR: temp },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exit = new Promise((resolve) => child.once('close', (status) => resolve(status)))
  // Twice, as `timeout` does it.
  for await (const line of createInterface({ input: child.stderr })) if (line.includes('is up')) child.kill(signal)

  expect(await exit).toBe(code)
  expect(readdirSync(temp)).not.toContainEqual(expect.stringMatching(/^baton-demo-/))
})

/** A process that has ended is listed as a zombie until somebody asks after it, and orphans may have nobody who does. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const DOWN = 'redis://:sesame@127.0.0.1:1'

it('explains itself', () => {
  expect(demo({}, '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--dir FOLDER'), stderr: '' })
})

it.each([
  { what: 'no Markdown', args: () => ['--dir', temporaryFolder({ 'a.txt': '' })], says: 'There are no Markdown files' },
  { what: 'no such folder', args: () => ['--dir', '/nowhere/at/all'], says: 'There is no folder /nowhere/at/all' },
  { what: 'a file for a folder', args: () => ['--dir', import.meta.filename], says: 'is a file, not a folder' },
  { what: 'an unknown option', args: () => ['--dri', '/tmp'], says: "Unknown option '--dri'" },
  { what: 'a report that has no folder', args: () => ['--report', '/nowhere/r.md'], says: 'There is no folder for' },
  { what: 'a report that is a folder', args: () => ['--report', temporaryFolder()], says: 'is a folder' },
  { what: 'a report that is a device', args: () => ['--report', '/dev/null'], says: '/dev/null is not a plain file' },
  { what: 'an unknown kind of store', args: () => ['--store', 'rdeis'], says: 'There is no --store rdeis' },
  {
    what: 'a store that is no Redis',
    args: () => ['--store', 'redis'],
    says: 'BATON_STORE=nonsense?prefix=baton-demo is no',
  },
  {
    what: 'a store that is no table',
    args: () => ['--store', 'dynamo'],
    says: 'BATON_STORE=nonsense?prefix=baton-demo is no table of DynamoDB',
  },
  {
    what: 'a Redis that does not answer',
    args: () => ['--store', 'redis'],
    store: DOWN,
    says: 'no Redis to work with at 127.0.0.1:1',
  },
  { what: 'an unknown kind of queue', args: () => ['--queue', 'kakfa'], says: 'There is no --queue kakfa' },
  {
    what: 'Kafka beside files',
    args: () => ['--queue', 'kafka'],
    says: '--queue kafka does not go with a store of files.\nKafka keeps no runs: put them on a server with --store redis',
  },
  {
    what: 'a queue that is no Kafka',
    args: () => ['--store', 'dynamo', '--queue', 'kafka'],
    store: '',
    env: { BATON_QUEUE: 'sqs://demo' },
    says: 'BATON_QUEUE=sqs://demo is no Kafka',
  },
  {
    what: 'a Kafka whose URL says what nobody knows',
    args: () => ['--store', 'dynamo', '--queue', 'kafka'],
    store: '',
    env: { BATON_QUEUE: 'kafka://127.0.0.1:1/t?topics=2' },
    says: 'topics',
  },
  {
    what: 'a machine without Java',
    args: () => ['--store', 'dynamo', '--queue', 'kafka'],
    store: '',
    path: '',
    env: { BATON_TEST_KAFKA_URL: '' },
    says: 'There is no Kafka, and none can be started: there is no java here',
  },
  { what: 'a machine without Redis', args: () => ['--store', 'redis'], store: '', path: '', says: 'no redis-server' },
])('refuses $what with 2 and a hint, and leaves nothing behind', ({ args, says, ...around }) => {
  const temp = temporaryFolder()

  const { status, stdout, stderr } = demo({ temp, ...around }, ...args())

  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(says)
  expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  expect(readdirSync(temp)).not.toContainEqual(expect.stringMatching(/^baton-demo-/))
})
