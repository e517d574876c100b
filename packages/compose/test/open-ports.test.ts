import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BatonClient, createFlow, FlowRuntime } from '@baton/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Ports } from '../src/backends/backend.ts'
import { checkPorts, openPorts } from '../src/open-ports.ts'
import { temporaryFolder } from './folder.ts'

const greet = createFlow<string>('greet').node('greet', ({ input }) => ({ output: `Hello, ${input}` }))

async function opened(values: Parameters<typeof openPorts>[0]): Promise<Ports> {
  const ports = await openPorts(values)
  onTestFinished(async () => {
    await ports.queue.close()
    await ports.coordinationStore.close()
    await ports.store.close()
  })
  return ports
}

/** Starts a run on some ports and carries it to its end on others. */
async function runAcross(client: Ports, worker: Ports): Promise<unknown> {
  const runtime = new FlowRuntime({ flows: [greet], ...worker })
  onTestFinished(() => runtime.stop())
  const handle = await new BatonClient({ store: client.store, queue: client.queue, flows: [greet] }).start(greet, 'Ada')
  runtime.get(handle.runId)
  return handle.result()
}

describe('what runs on the ports', () => {
  it('is kept in this process for memory:', async () => {
    const ports = await opened({ BATON_STORE: 'memory:' })

    expect(await runAcross(ports, ports)).toBe('Hello, Ada')
  })

  it('is shared by whoever names the same folder', async () => {
    const url = `file:${temporaryFolder()}/store`

    expect(await runAcross(await opened({ BATON_STORE: url }), await opened({ BATON_STORE: url }))).toBe('Hello, Ada')
  })

  it('takes a store of one kind and a queue of another, and a folder as a whole URL', async () => {
    const folder = join(temporaryFolder(), 'a store')
    const ports = await opened({ BATON_STORE: pathToFileURL(folder).href, BATON_QUEUE: 'memory:' })

    expect(await runAcross(ports, ports)).toBe('Hello, Ada')
    expect(existsSync(folder)).toBe(true)
  })
})

it.each(['a file', 'below a file'])('refuses %s in the place of a folder, and leaves it alone', async (where) => {
  const file = join(temporaryFolder(), 'notes.md')
  writeFileSync(file, '')
  const refused = openPorts({ BATON_STORE: `file:${where === 'a file' ? file : join(file, 'store')}` })

  await expect(refused).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    field: 'BATON_STORE',
    message: expect.stringContaining('is not a folder'),
    hint: expect.stringMatching(/^Name a folder/),
  })
})

it('tells whoever only looks that there is no store, and makes none', async () => {
  const folder = temporaryFolder()
  const values = { BATON_STORE: `file:${folder}/store` }

  const [first, ...others] = await checkPorts(values, { mustExist: true })

  expect(first).toMatchObject({ code: 'INVALID_OPTION', field: 'BATON_STORE' })
  expect(others).toEqual([])
  expect(await checkPorts(values)).toEqual([])
  expect(readdirSync(folder)).toEqual([])
  await opened(values)
  expect(await checkPorts(values, { mustExist: true })).toEqual([])
})

it('finds what is against the store and what is against the queue at once', async () => {
  const found = await checkPorts({ BATON_STORE: 'sqlite:./x', BATON_QUEUE: 'sqlite:./y' })

  expect(found.map(({ code, field }) => [code, field])).toEqual([
    ['MISSING_ADAPTER', 'BATON_STORE'],
    ['MISSING_ADAPTER', 'BATON_QUEUE'],
  ])
})

describe('what cannot be opened is refused with the variable and a hint', () => {
  it.each([
    { values: { BATON_STORE: 'files:./data' }, field: 'BATON_STORE', hint: /^Known are: memory:, file:, sqlite:/ },
    { values: { BATON_STORE: './data' }, field: 'BATON_STORE', hint: /./ },
    { values: { BATON_STORE: 'file:' }, field: 'BATON_STORE', hint: /file:\.\/data/ },
    { values: { BATON_STORE: 'file://data' }, field: 'BATON_STORE', hint: /file:\.\/data/ },
    { values: { BATON_STORE: 'memory:', BATON_QUEUE: 'carrier-pigeon:' }, field: 'BATON_QUEUE', hint: /Known are/ },
  ])('$values', async ({ values, field, hint }) => {
    const refused = openPorts(values)

    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION', field, hint: expect.stringMatching(hint) })
  })

  it('and with the command that installs what is missing', async () => {
    const refused = openPorts({ BATON_STORE: 'sqlite:./runs.db' })

    await expect(refused).rejects.toMatchObject({
      code: 'MISSING_ADAPTER',
      field: 'BATON_STORE',
      hint: 'Install it: npm install @baton/adapter-sqlite',
    })
  })

  it('also for the folder and for Redis, where nobody has installed their packages', () => {
    // As at a user's desk: our sources, core, and nothing else.
    const desk = temporaryFolder()
    const house = join(import.meta.dirname, '../../..')
    for (const part of ['package.json', 'src']) {
      cpSync(join(import.meta.dirname, '..', part), join(desk, part), { recursive: true })
    }
    mkdirSync(join(desk, 'node_modules/@baton'), { recursive: true })
    symlinkSync(join(house, 'packages/core'), join(desk, 'node_modules/@baton/core'), 'junction')
    const program = `
      import { describeMistake, openPorts } from ${JSON.stringify(pathToFileURL(join(desk, 'src/index.ts')).href)}
      const ports = await openPorts({ BATON_STORE: 'memory:' })
      console.log(Object.keys(ports).sort().join())
      for (const url of ['file:./data', 'redis://:secret@box', 'dynamodb://baton']) {
        console.log(await openPorts({ BATON_STORE: url }).then(() => 'opened', describeMistake))
      }`

    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@baton/source', '--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: house, encoding: 'utf8' },
    )

    expect(stderr).toBe('')
    const [memory, file, redis, dynamo] = stdout.trimEnd().split('\n')
    expect(memory).toBe('coordinationStore,queue,store')
    expect(file).toContain('MISSING_ADAPTER BATON_STORE')
    expect(file).toContain('Install it: npm install @baton/store-file')
    expect(redis).toContain('MISSING_ADAPTER BATON_STORE')
    expect(redis).toContain('Install it: npm install @baton/adapter-bullmq bullmq ioredis')
    expect(redis).not.toContain('secret')
    expect(dynamo).toContain(
      'Install it: npm install @baton/adapter-sqs-dynamo @aws-sdk/client-dynamodb @aws-sdk/client-sqs',
    )
  })
})
