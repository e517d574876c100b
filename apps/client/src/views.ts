/** Ways to show a run while it goes on: redrawn on a terminal, as plain lines elsewhere, as JSON for programs. */
import type { PendingSlot, RunDeadLetter, RunEvent, RunSummary } from '@baton/core'
import type { ScheduleView } from '@baton/schedule'
import { createLogUpdate } from 'log-update'
import colors from 'picocolors'
import { isItem, type NodeProgress, nameOfWait, Progress } from './progress.ts'

export interface View {
  event(event: RunEvent): void
  /** Called when nothing has happened for a while and nobody is at work. */
  idle(): void
  /** The last thing it is told. What was on the screen stays there. */
  close(): void
}

export function createView({ json, runId }: { readonly json: boolean; readonly runId: string }): View {
  if (json) return jsonView
  return process.stderr.isTTY ? new ScreenView(runId) : new PlainView(runId)
}

const jsonView: View = {
  event: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
  idle() {},
  close() {},
}

/** One line per piece of news; of a map every tenth of its items. */
class PlainView implements View {
  readonly #progress = new Progress()
  readonly #runId: string
  #toldIdle = false

  constructor(runId: string) {
    this.#runId = runId
  }

  event(event: RunEvent): void {
    this.#progress.apply(event)
    const news = newsOf(event, this.#progress, this.#runId)
    if (news !== undefined) this.#say(news)
  }

  idle(): void {
    if (!this.#toldIdle) this.#say(waitingForWorker(this.#progress))
    this.#toldIdle = true
  }

  close(): void {}

  #say(news: string): void {
    process.stderr.write(`${seconds(this.#progress.elapsedMs).padStart(8)}  ${news}\n`)
  }
}

const FRAME_MS = 100

class ScreenView implements View {
  readonly #progress = new Progress()
  readonly #screen = createLogUpdate(process.stderr)
  readonly #runId: string
  readonly #timer = setInterval(() => this.#draw(), FRAME_MS)
  #isIdle = false

  constructor(runId: string) {
    this.#runId = runId
  }

  event(event: RunEvent): void {
    this.#progress.apply(event)
    this.#isIdle = false
  }

  idle(): void {
    this.#isIdle = true
  }

  close(): void {
    clearInterval(this.#timer)
    this.#draw()
    this.#screen.done()
  }

  #draw(): void {
    const progress = this.#progress
    const isOver = ['completed', 'failed', 'cancelled'].includes(progress.status)
    const elapsedMs = isOver ? progress.elapsedMs : Date.now() - progress.startedAtMs
    const head = `${colors.bold(progress.flow)}  ${this.#runId}  ${statusText(progress.status)}  ${colors.dim(seconds(elapsedMs))}`
    const rest = this.#isIdle ? [colors.yellow(waitingForWorker(progress))] : asksOf(progress, this.#runId)
    this.#screen([head, ...progress.nodes.map((node) => `  ${nodeLine(node)}`), ...rest].join('\n'))
  }
}

function newsOf(event: RunEvent, progress: Progress, runId: string): string | undefined {
  switch (event.type) {
    case 'run-started':
      return `${progress.flow} started as ${runId}`
    case 'run-completed':
    case 'run-failed':
    case 'run-cancelled':
    case 'run-cancel-requested':
      return event.type.replaceAll('-', ' ')
    case 'run-paused':
      return asksOf(progress, runId)[0] ?? 'run paused'
    case 'run-pause-ordered':
      return pauseLine(event, runId)
    case 'run-pause-lifted':
      return 'run goes on'
    case 'map-expanded':
      return `${event.instanceId} has ${event.items.length} items`
    case 'node-claimed':
      return isItem(event.instanceId) ? undefined : `${event.instanceId} runs on ${event.workerId}`
    case 'node-succeeded':
      return isItem(event.instanceId) ? itemNews(progress.node(event.instanceId)) : `${event.instanceId} done`
    case 'node-failed':
    case 'attempt-failed':
      return `${event.instanceId} failed: ${event.error.message}`
    case 'node-lost':
      return `${event.instanceId} was lost by ${event.workerId}, its lease is over`
    case 'node-skipped':
      return `${event.instanceId} skipped: ${event.reason}`
    default:
      return undefined
  }
}

function itemNews({ nodeId, done, total = 0 }: NodeProgress): string | undefined {
  return done % Math.max(1, Math.ceil(total / 10)) === 0 || done === total ? `${nodeId} ${done}/${total}` : undefined
}

function asksOf(progress: Progress, runId: string): string[] {
  const [waits] = progress.nodes.flatMap(({ waitsFor }) => waitsFor ?? [])
  if (waits === undefined) return []
  const [kind = '', name = ''] = waits.split(' ')
  return [askLine(kind, name, runId)]
}

/** What a run waits for: from the outside, with how to give it; and what it cannot begin or go on without. */
export function waitsOf(summary: RunSummary): string[] {
  const { runId, pendingApprovals, pendingPause, operatorPause } = summary
  const pauses = operatorPause === undefined ? [] : [pauseLine(operatorPause, runId)]
  const names = pendingApprovals.map(({ approvalId, instanceId }) => nameOfWait(instanceId, approvalId))
  const approvals = names.map((name) => askLine('approval', name, runId, names.length > 1))
  const { signal } = pendingPause ?? {}
  const signals = signal === undefined ? [] : [askLine('signal', signal, runId)]
  return [...pauses, ...approvals, ...signals, ...startOf(summary), ...needsOf(summary)]
}

function startOf({ status, startAtMs }: RunSummary): string[] {
  const isToCome = status === 'pending' && startAtMs !== undefined && startAtMs > Date.now()
  return isToCome ? [`begins at ${new Date(startAtMs).toISOString()}`] : []
}

function needsOf({ flowId, version, pendingSlot, pendingWorker }: RunSummary): string[] {
  const slots = pendingSlot === undefined ? [] : [slotLine(pendingSlot)]
  const name = version === undefined ? flowId : `${flowId}@${version}`
  const workers = pendingWorker === undefined ? [] : [`waits for a worker with ${name}${since(pendingWorker.sinceMs)}`]
  return [...slots, ...workers]
}

function slotLine({ flowId, most, perMs, key, sinceMs }: PendingSlot): string {
  const runs = `${most} ${most === 1 ? 'run' : 'runs'} of ${flowId}${key === undefined ? '' : ` for ${key}`}`
  const limit = perMs === undefined ? `at most ${runs} at a time` : `at most ${runs} may begin within ${perMs} ms`
  return `waits for a slot, ${limit}${since(sinceMs)}`
}

function since(ms: number): string {
  return `, since ${new Date(ms).toISOString()}`
}

function pauseLine({ reason, by }: { readonly reason: string; readonly by?: string }, runId: string): string {
  const who = by === undefined ? '' : ` by ${by}`
  return `paused${who}: ${reason}; to let it go on: baton-client unpause ${runId}`
}

function askLine(kind: string, name: string, runId: string, isOneOfSeveral = false): string {
  const which = isOneOfSeveral ? ` --approval ${name}` : ''
  const command = kind === 'approval' ? `approve ${runId}${which}` : `signal ${runId} ${name}`
  return `waits for ${kind} ${name}; to answer: baton-client ${command}`
}

/** A dead letter on one line. */
export function letterLine({ runId, instanceId, attempts, error, redrivenAs }: RunDeadLetter): string {
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  const again = redrivenAs === undefined ? '' : `, redriven as ${redrivenAs}`
  return `${runId}  ${instanceId}  ${error.message} (${tries}${again})`
}

function waitingForWorker({ flow }: Progress): string {
  return `waiting for a worker that has ${flow} (the run is stored)`
}

function statusText(status: string): string {
  if (status === 'completed') return colors.green(status)
  return status === 'failed' || status === 'cancelled' ? colors.red(status) : colors.cyan(status)
}

function nodeLine({ nodeId, running, done, failed, total, waitsFor, isSettled, skipped }: NodeProgress): string {
  const mark =
    failed > 0 ? colors.red('✗') : isSettled ? colors.green('✓') : running.size > 0 ? colors.cyan('▸') : colors.dim('·')
  const bar = total === undefined ? '' : `  ${barOf(done, total)} ${done}/${total}`
  const workers = [...new Set(running.values())].sort().join(', ')
  const asks = waitsFor === undefined ? '' : colors.yellow(`  waits for ${waitsFor}`)
  const lot = isSettled && skipped > 0 && done === 0 ? colors.dim('  skipped') : ''
  return `${mark} ${nodeId}${bar}${workers === '' ? '' : colors.dim(`  on ${workers}`)}${asks}${lot}`
}

const BAR = 24

function barOf(done: number, total: number): string {
  const full = total === 0 ? BAR : Math.round((done / total) * BAR)
  return colors.green('█'.repeat(full)) + colors.dim('░'.repeat(BAR - full))
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`
}

/** A schedule in one line: how it stands, and when it starts something next. */
export function lineOf({ id, status, flowId, cron, everyMs, timeZone, nextAtMs }: ScheduleView): string {
  const [next] = nextAtMs
  const when = everyMs === undefined ? `${cron} ${timeZone ?? 'UTC'}` : `every ${everyMs} ms`
  return `${id}  ${status}  ${flowId}  ${when}  ${next === undefined ? '-' : new Date(next).toISOString()}`
}
