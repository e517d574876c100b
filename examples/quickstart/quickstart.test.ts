import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'

// Processes start slowly on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 })

const here = import.meta.dirname
const page = readFileSync(join(here, '../../docs/quickstart.md'), 'utf8')
const tsx = import.meta.resolve('tsx')

/** What stands on the page in blocks of a language. */
function blocksOf(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code)
}

/** A line of the page, typed in a folder of its own so that nobody else's runs are in it. */
function type(line: string, folder: string) {
  const [program, ...args] = line.replace(/ *[&#].*/, '').split(' ')
  expect(program).toBe('node')
  const placed = args.map((arg) => (arg === 'tsx' ? tsx : arg.endsWith('.ts') ? join(here, arg) : arg))
  const child = spawn(process.execPath, placed, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  child.stdout.on('data', (data: Buffer) => {
    printed += data
  })
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return { exit, kill: (signal: NodeJS.Signals) => child.kill(signal), printed: () => printed }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-quickstart-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const linesOf = (text: string) => text.trimEnd().split('\n')

it('has the files that stand on the page', () => {
  expect(blocksOf('ts')).toEqual(['hello.ts', 'count.ts'].map((file) => readFileSync(join(here, file), 'utf8')))
})

it('greets', async () => {
  const [line = ''] = linesOf(blocksOf('sh')[1] ?? '')
  const hello = type(line, temporaryFolder())

  expect(await hello.exit).toBe(0)
  expect(hello.printed()).toBe('HELLO, ADA!\n')
})

it('goes on in a second worker when the first one is killed, and repeats no turn that was over', async () => {
  const [startClient = '', startWorker = '', kill, startSecond = ''] = linesOf(blocksOf('sh')[2] ?? '')
  expect(kill).toContain('kill -9 $!')
  const folder = temporaryFolder()
  const client = type(startClient, folder)
  const first = type(startWorker, folder)
  await vi.waitUntil(() => first.printed().includes('turn 3'), { timeout: 30_000 })

  first.kill('SIGKILL')
  await first.exit
  const second = type(startSecond, folder)

  expect(await client.exit).toBe(0)
  expect(client.printed()).toBe('the sum is 36\n')
  const done = linesOf(first.printed())
  const again = linesOf(second.printed())
  expect(again[0]).toBe(done.at(-1))
  expect([...done, ...again.slice(1)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((turn) => `turn ${turn}`))

  second.kill('SIGINT')
  expect(await second.exit).toBe(0)
  const repeated = type(startClient, folder)
  expect(await repeated.exit).toBe(0)
  expect(repeated.printed()).toBe('the sum is 36\n')
})
