/**
 * Whose a redo log is and how old, by its name: `<boot>.<pid>.<begun>.<random>.log`. One whose owner is gone is an orphan:
 * the machine was started again since, or the process ended, or it is an earlier process with the number of this one.
 *
 * To call an owner dead that lives (in another container, say, whose processes have numbers of their own) does no harm:
 * before each answer an owner looks whether its redo log still has its name (`redo-log.ts`).
 */
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { hasCode } from './failure.ts'

const NAME = /^([0-9a-z]+)\.(\d+)\.([0-9a-z]+)\.[0-9a-z]+\.log$/
const BOOT_ID = '/proc/sys/kernel/random/boot_id'
const MINUTE_S = 60

const own = new Set<string>()
let boot: string | undefined

export function newRedoName(): string {
  const random = `${Math.random().toString(36).slice(2)}0`
  const name = `${bootTag()}.${process.pid}.${Date.now().toString(36)}.${random}.log`
  own.add(name)
  return name
}

/** Whoever finds it from now on may recover from it. */
export function giveUpRedoName(name: string): void {
  own.delete(name)
}

/** When the first line may have come into it; the beginning of time when the name does not say. */
export function begunAtMs(name: string): number {
  const [, , , begun] = NAME.exec(name) ?? []
  return begun === undefined ? 0 : Number.parseInt(begun, 36)
}

export function isOrphan(name: string): boolean {
  const [, bootOf, pid] = NAME.exec(name) ?? []
  if (bootOf === undefined) return false
  if (bootOf !== bootTag()) return true
  return Number(pid) === process.pid ? !own.has(name) : !isAlive(Number(pid))
}

/** Tells this start of the machine from others; where the system has no name for it, the time of it. */
function bootTag(): string {
  boot ??= readBootId() ?? Math.round((Date.now() / 1_000 - uptime()) / MINUTE_S).toString(36)
  return boot
}

function readBootId(): string | undefined {
  try {
    return (
      readFileSync(BOOT_ID, 'latin1')
        .replace(/[^0-9a-f]/g, '')
        .slice(0, 16) || undefined
    )
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasCode(error, 'ESRCH')
  }
}
