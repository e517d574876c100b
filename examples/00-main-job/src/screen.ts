/** What the person sees while it runs: a picture that is redrawn on a terminal, plain lines elsewhere. */
import type { RunEvent } from '@baton/core'
import { createLogUpdate } from 'log-update'
import colors from 'picocolors'
import type { Story } from './story.ts'
import { isFile } from './story.ts'

export interface WorkerState {
  readonly name: string
  readonly pid: number
  state: 'starting' | 'up' | 'killed' | 'stopped'
}

export interface Screen {
  /** Stays: a line of the story. */
  say(line: string): void
  /** A worker is up. */
  up(worker: WorkerState): void
  /** The journal has gone on. */
  event(event: RunEvent): void
  close(): void
}

export interface ScreenOptions {
  readonly stream: NodeJS.WriteStream
  readonly story: Story
  readonly workers: readonly WorkerState[]
}

export function createScreen(options: ScreenOptions): Screen {
  return canRedraw(options.stream) ? new Picture(options) : new Lines(options)
}

/** A terminal that does not know its size says 0 by 0 (`script`, `docker run -t`), and a picture cut to that is none. */
function canRedraw({ isTTY, columns, rows }: NodeJS.WriteStream): boolean {
  return isTTY && columns > 0 && rows > 0
}

class Lines implements Screen {
  readonly #options: ScreenOptions

  constructor(options: ScreenOptions) {
    this.#options = options
  }

  say(line: string): void {
    this.#options.stream.write(`${line}\n`)
  }

  up({ name, pid }: WorkerState): void {
    this.say(`         ${name} is up (pid ${pid})`)
  }

  event(event: RunEvent): void {
    const { story } = this.#options
    const news = newsOf(event, story)
    if (news !== undefined) this.say(`${seconds(story.durationMs).padStart(7)}  ${news}`)
  }

  close(): void {}
}

/** Of the files every tenth part, or a folder of thousands would scroll by. */
function newsOf(event: RunEvent, story: Story): string | undefined {
  switch (event.type) {
    case 'run-started':
      return `run ${event.head.runId} is stored; it waits for a worker`
    case 'map-expanded':
      return `${event.items.length} files to analyse, one node instance each`
    case 'node-lost':
      return `${event.instanceId}: the lease of ${event.workerId} is over`
    case 'node-succeeded': {
      const { instanceId } = event
      const finisher = story.finisherOf(instanceId)
      if (!isFile(instanceId)) return `${instanceId} done by ${finisher}`
      if (story.recovered.some((each) => each.instanceId === instanceId))
        return `${instanceId} recovered by ${finisher}`
      const { files = 0, filesDone } = story
      return filesDone % Math.max(1, Math.ceil(files / 10)) === 0 ? `analyse ${filesDone}/${files}` : undefined
    }
    case 'node-failed':
    case 'attempt-failed':
      return `${event.instanceId} failed: ${event.error.message}`
    case 'run-completed':
    case 'run-failed':
    case 'run-cancelled':
      return `run ${event.type.slice('run-'.length)}`
    default:
      return undefined
  }
}

const FRAME_MS = 80
const BAR = 32

class Picture implements Screen {
  readonly #options: ScreenOptions
  readonly #update: ReturnType<typeof createLogUpdate>
  readonly #timer = setInterval(() => this.#draw(), FRAME_MS)
  #frame = 0

  constructor(options: ScreenOptions) {
    this.#options = options
    this.#update = createLogUpdate(options.stream)
  }

  say(line: string): void {
    this.#update.clear()
    this.#options.stream.write(`${line}\n`)
    this.#draw()
  }

  up(): void {}

  event(): void {}

  close(): void {
    clearInterval(this.#timer)
    this.#draw()
    this.#update.done()
  }

  #draw(): void {
    const { story, workers } = this.#options
    this.#frame += 1
    const nodes = [this.#node('list', 'list'), this.#filesLine(), this.#node('report', 'report')]
    const { columns } = this.#options.stream
    const rows = workers.map((worker) => workerLine(worker, story, columns))
    this.#update(['', ...nodes, '', ...rows].map((line) => `  ${line}`).join('\n'))
  }

  #node(label: string, instanceId: string): string {
    const { story } = this.#options
    const finisher = story.finisherOf(instanceId)
    const holder = story.holderOf(instanceId)
    const mark = finisher ? colors.green('✓') : holder ? this.#spinner() : colors.dim('·')
    return `${mark} ${label.padEnd(8)} ${colors.dim(finisher ?? holder ?? '')}`
  }

  #filesLine(): string {
    const { story } = this.#options
    const { files, filesDone } = story
    const isDone = files !== undefined && filesDone === files
    const mark = isDone ? colors.green('✓') : files === undefined ? colors.dim('·') : this.#spinner()
    const full = files === undefined ? 0 : Math.round((filesDone / files) * BAR)
    const bar = colors.green('█'.repeat(full)) + colors.dim('░'.repeat(BAR - full))
    return `${mark} ${'analyse'.padEnd(8)} ${bar} ${files === undefined ? '' : `${filesDone}/${files} files`}`
  }

  #spinner(): string {
    return colors.cyan('◐◓◑◒'[this.#frame % 4] ?? '◐')
  }
}

function workerLine({ name, pid, state }: WorkerState, story: Story, width: number): string {
  const held = state === 'killed' ? [] : story.filesHeldBy(name)
  const isGone = state === 'killed' ? story.filesHeldBy(name) : []
  const does =
    isGone.length > 0
      ? colors.yellow(`its lease still holds ${isGone.length}`)
      : held.length > 0
        ? `holds ${few(held, width)}`
        : ''
  const shown = {
    starting: colors.dim('starting'),
    up: colors.green('up'),
    killed: colors.red('killed'),
    stopped: 'stopped',
  }
  const files = story.finishedBy(name).filter(isFile).length
  const count = `${files} ${files === 1 ? 'file' : 'files'}`
  return `${colors.bold(name)}  ${colors.dim(`pid ${pid}`)}  ${shown[state]}  ${count}  ${does}`
}

/** As many as fit beside the rest of the line. */
function few(instances: readonly string[], width: number): string {
  const most = Math.max(1, Math.floor((width - 50) / 13))
  const rest = instances.length - most
  return instances.slice(0, most).join(' ') + (rest > 0 ? ` +${rest}` : '')
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
