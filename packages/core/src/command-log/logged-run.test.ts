import { describe, expect, it } from 'vitest'
import type { Command } from '../machine/command.ts'
import { parseRunId } from '../model/ids.ts'
import { draftOf } from './draft.ts'
import { type LogAnswer, MADE, NO_LOG, type RunLog } from './log-backend.ts'
import { LoggedRun } from './logged-run.ts'

const runId = parseRunId('r')
const access = { redispatchMs: 1_000, batchChars: 1_000, sha256: (text: string) => text }
const create: Command = { type: 'create', run: { runId, flowId: 'f', starts: ['a'], input: 1 } as never }
const claim: Command = {
  type: 'claim',
  request: { runId, instanceId: 'a', claimId: 'c', workerId: 'w', leaseMs: 60_000 },
}

/** A log that several may have, of whom one can be kept waiting for what its look has found. */
class SharedLog {
  readonly lines: string[] = []
  reads = 0

  log(held: Promise<void> = Promise.resolve()): RunLog {
    const append = (texts: readonly string[]) => this.lines.push(...texts.map((text) => `1|${text}`))
    const since = (position: number, count: number): LogAnswer => {
      return { nowMs: 1, count, lines: this.lines.slice(position, this.lines.length) }
    }
    const log: Partial<RunLog> = {
      runId,
      name: 'log',
      read: async ({ position }) => {
        this.reads += 1
        const found = since(position, this.lines.length)
        if (this.reads === 1) await held
        return found
      },
      create: async ({ draft }) => {
        if (this.lines.length > 0) return since(0, this.lines.length)
        append([draft.text])
        return { nowMs: 1, count: MADE, lines: [] }
      },
      append: async ({ position }, drafted) => {
        if (this.lines.length === 0) return { nowMs: 1, count: NO_LOG, lines: [] }
        const found = since(position, this.lines.length + drafted.length)
        append(drafted.map(({ draft }) => draft.text))
        return found
      },
    }
    return log as RunLog
  }
}

function draft(command: Command, inlineMaxBytes = 100_000) {
  const most = 100_000
  const limits = { inlineMaxBytes, valueMaxBytes: most, lineMaxBytes: most, lineInlineMaxBytes: most }
  const found = draftOf(runId, command, limits, access.sha256)
  if ('limitBytes' in found) throw new Error('it is too large')
  return found
}

it('counts what it has asked the backend, and not what it knew: who was not listening before must be able to rely on it', async () => {
  const shared = new SharedLog()
  const run = new LoggedRun(shared.log(), access)

  await run.read(0)
  await run.read(0)
  expect([shared.reads, run.exchanges]).toEqual([0, 0])
  await run.read()
  expect([shared.reads, run.exchanges]).toEqual([1, 1])
})

it.each([
  { command: create, answer: { type: 'create', result: { status: 'exists', same: true } } },
  { command: claim, answer: { type: 'claim', result: expect.objectContaining({ status: 'claimed' }) } },
])('finds what somebody else has made since it was not there: $command.type', async ({ command, answer }) => {
  const shared = new SharedLog()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const run = new LoggedRun(shared.log(held), access)
  const other = new LoggedRun(shared.log(), access)
  const look = run.read()
  const written = run.write(draft(command))
  const lookAgain = run.read()
  await other.write(draft(create))
  release()
  await look

  expect(await written).toMatchObject(answer)
  await lookAgain
  expect(run.removed).toBe(false)
})

describe('a value that is another one than was written', () => {
  const input = 'x'.repeat(100)
  const written = draft({ type: 'create', run: { runId, flowId: 'f', starts: ['a'], input } as never }, 10)

  /** Its values have lost a part when they are read. */
  function logWith({ isPurged }: { readonly isPurged: boolean }): RunLog {
    const shared = new SharedLog()
    shared.lines.push(`1|${written.text}`)
    const { read, ...log } = shared.log()
    let hasBegun = false
    return {
      ...log,
      read: async (known, most) =>
        hasBegun && isPurged ? { nowMs: 1, count: NO_LOG, lines: [] } : await read(known, most),
      values: async (digests) => {
        hasBegun = true
        return digests.map((text) => text.slice(0, 10))
      },
    }
  }

  it('is what a purge has left of it, where the run is gone: parts go one by one', async () => {
    const run = new LoggedRun(logWith({ isPurged: true }), access)

    await run.read()

    expect(run.removed).toBe(true)
  })

  it('is damage where the run is there', async () => {
    const run = new LoggedRun(logWith({ isPurged: false }), access)

    await expect(run.read()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})
