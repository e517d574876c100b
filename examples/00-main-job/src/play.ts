/**
 * The play: two workers, a client, and a SIGKILL half-way.
 *
 * Everything it knows about the run comes from the run's journal, as the client process prints it. Nothing is timed:
 * a gate holds the second half of the files until the journal shows that a worker holds one of them, that worker is
 * killed, and then the gate opens.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { RunEvent } from '@baton/core'
import colors from 'picocolors'
import { analyseFile } from './analyse.ts'
import { printResult } from './epilogue.ts'
import { FILES_AT_A_TIME, freeFiles, type ReportJob } from './flows.ts'
import type { DemoOptions } from './options.ts'
import { type DemoPlace, openPlaces } from './places.ts'
import { type Program, startProgram } from './processes.ts'
import { writeReport } from './report.ts'
import { createScreen, type Screen, seconds, type WorkerState } from './screen.ts'
import { Story } from './story.ts'

const LEASE_MS = 2_000
const SWEEP_MS = 500
const STOP_WITHIN_MS = 1_000
const WORKERS = ['worker-1', 'worker-2']
/** Nothing in here takes so long; a demo that stands still says so and ends. */
const STALL_MS = 60_000

/** `npm` and `timeout` hand a signal on that came here as well: so soon after the first it is no second one. */
const ONE_SIGNAL_MS = 500

/** As shells have it for a process that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type EndingSignal = keyof typeof exitCodes

export class Demo {
  readonly #options: DemoOptions
  readonly #house: string
  readonly #home = mkdtempSync(join(tmpdir(), 'baton-demo-'))
  readonly #gate = join(this.#home, 'gate')
  readonly #runId = `demo-${Date.now().toString(36)}`
  readonly #story = new Story()
  readonly #programs: Program[] = []
  readonly #workers: WorkerState[] = []
  readonly #stream: NodeJS.WriteStream
  readonly #screen: Screen
  #killed: { readonly name: string; readonly held: readonly string[]; readonly atMs: number } | undefined
  #fail: (reason: Error) => void = () => {}
  #interrupted: { readonly by: EndingSignal; readonly atMs: number } | undefined
  #place: DemoPlace | undefined
  /** What the report has to say. */
  #expected: string | undefined
  #stall: ReturnType<typeof setTimeout> | undefined

  constructor(options: DemoOptions, house: string) {
    this.#options = options
    this.#house = house
    this.#stream = options.json ? process.stderr : process.stdout
    this.#screen = createScreen({ stream: this.#stream, story: this.#story, workers: this.#workers })
  }

  async run(): Promise<number> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    failed.catch(() => {})
    // Not `once`: whoever restores the cursor of a terminal ends the process if it is the last one that listens.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#interrupt(signal))
    // A terminal that was closed cannot be written to, which may be seen before its SIGHUP comes.
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.isTTY) stream.on('error', () => this.#hangUp())
    }
    let status = 'failed'
    let isRight = false
    let problem: string | undefined
    try {
      await Promise.race([this.#play(), failed])
      isRight = await this.#equalsRecount()
      status = 'completed'
      if (!isRight) problem = 'the report differs from a recount in this process'
      else if (this.#story.recovered.length === 0) problem = 'nothing was recovered'
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
      status = this.#story.end ?? 'failed'
    } finally {
      this.#screen.close()
      await this.#stopAll()
      // Not before: until it has ended, the client may say one thing more, and the clock would run again.
      clearTimeout(this.#stall)
    }
    return this.#finish({ status, isRight, problem })
  }

  /** Asked once, everything is put away first; asked twice, there is no time for that. */
  #interrupt(signal: EndingSignal): void {
    if (this.#interrupted !== undefined) {
      if (performance.now() - this.#interrupted.atMs < ONE_SIGNAL_MS) return
      for (const program of this.#programs) program.kill('SIGKILL')
      process.exit(exitCodes[signal])
    }
    this.#interrupted = { by: signal, atMs: performance.now() }
    this.#fail(new Error(`stopped by ${signal}`))
  }

  /** Every line fails that is still written, so this is said often, and asks once. */
  #hangUp(): void {
    if (this.#interrupted === undefined) this.#interrupt('SIGHUP')
  }

  // ── The play ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #play(): Promise<void> {
    const { folder, files } = this.#options
    writeFileSync(this.#gate, '')
    const many = `${files.length} Markdown ${files.length === 1 ? 'file' : 'files'}`
    this.#screen.say(`${colors.bold('Baton')}: ${many} in ${folder}`)
    const place = await openPlaces(this.#options.places, { home: this.#home, say: (line) => this.#waiting(line) })
    this.#place = place
    if (this.#interrupted !== undefined) return place.close()
    this.#screen.say(`Two workers and a client share them out. ${place.told}`)
    this.#expected = await this.#recount()
    if (this.#interrupted !== undefined) return
    for (const name of WORKERS) this.#startWorker(name, place)
    const client = this.#startClient(place)
    const { code } = await client.exit
    if (this.#story.end !== 'completed') {
      throw new Error(this.#story.failure ?? `the client ended with code ${code}: ${client.lastWords()}`)
    }
  }

  /** Something takes long. It may say so after we were interrupted, when nobody wants to know any more. */
  #waiting(line: string): void {
    if (this.#interrupted === undefined) this.#screen.say(`         ${line}`)
  }

  #startWorker(name: string, { env }: DemoPlace): void {
    const program = startProgram({
      name,
      house: this.#house,
      app: 'worker',
      args: ['--flows', this.#flowsFile],
      env: {
        ...env,
        BATON_WORKER_ID: name,
        BATON_LEASE_MS: String(LEASE_MS),
        BATON_SWEEP_MS: String(SWEEP_MS),
        BATON_STOP_WITHIN_MS: String(STOP_WITHIN_MS),
        // Together they have a hand for every file that the map lets go at a time. With fewer, files behind the gate could
        // fill all hands while free ones wait.
        BATON_CONCURRENCY: String(Math.ceil(FILES_AT_A_TIME / WORKERS.length)),
        BATON_LOG: 'json',
      },
      log: join(this.#home, `${name}.log`),
      onLog: (line) => {
        if (line.includes('"worker is ready"')) this.#onReady(state)
      },
    })
    const state: WorkerState = { name, pid: program.pid, state: 'starting' }
    this.#programs.push(program)
    this.#workers.push(state)
    program.exit.then(
      ({ code, signal }) => {
        if (state.state === 'killed' || state.state === 'stopped') return
        const how = signal === null ? `with code ${code}` : `by ${signal}`
        this.#fail(new Error(`${name} ended by itself ${how}. Its last words:\n${program.lastWords()}`))
      },
      (error: unknown) => this.#fail(new Error(`${name} did not start: ${String(error)}`)),
    )
  }

  #onReady(state: WorkerState): void {
    state.state = 'up'
    this.#screen.up(state)
    this.#killHalfWay()
  }

  #startClient({ env }: DemoPlace): Program {
    const { folder, report } = this.#options
    const input: ReportJob = { folder, report: report ?? join(this.#home, 'report.md'), gate: this.#gate }
    const what = ['markdown-report', '--flows', this.#flowsFile, '--input', JSON.stringify(input)]
    const client = startProgram({
      name: 'client',
      house: this.#house,
      app: 'client',
      args: ['start', ...what, '--run-id', this.#runId, '--json'],
      env,
      log: join(this.#home, 'client.log'),
      onOut: (line) => this.#onLine(line),
    })
    this.#programs.push(client)
    return client
  }

  /** The client prints the journal, event by event, and then the result. */
  #onLine(line: string): void {
    const told = JSON.parse(line) as RunEvent | { readonly status: string }
    if (!('seq' in told)) return
    this.#story.apply(told)
    this.#screen.event(told)
    clearTimeout(this.#stall)
    this.#stall = setTimeout(() => this.#fail(new Error(`nothing has happened for ${seconds(STALL_MS)}`)), STALL_MS)
    this.#killHalfWay()
  }

  /**
   * Half-way: the free half is done, and the journal shows that all hands are full with the other one. What the victim
   * holds then is what another will have to finish.
   */
  #killHalfWay(): void {
    const { files, filesDone } = this.#story
    if (this.#killed !== undefined || files === undefined || filesDone < freeFiles(files)) return
    if (this.#workers.some(({ state }) => state !== 'up')) return
    const hands = this.#workers.map((worker) => ({ worker, held: this.#story.filesHeldBy(worker.name) }))
    const held = hands.reduce((sum, each) => sum + each.held.length, 0)
    if (held < Math.min(files - filesDone, FILES_AT_A_TIME)) return
    const [victim] = hands.sort((left, right) => right.held.length - left.held.length)
    if (victim !== undefined && victim.held.length > 0) this.#kill(victim.worker, victim.held)
  }

  #kill(worker: WorkerState, held: readonly string[]): void {
    const program = this.#programs.find(({ name }) => name === worker.name)
    if (program === undefined) return
    worker.state = 'killed'
    this.#killed = { name: worker.name, held, atMs: this.#story.durationMs }
    program.kill('SIGKILL')
    const at = seconds(this.#story.durationMs).padStart(7)
    const others = WORKERS.filter((name) => name !== worker.name).join(', ')
    const kill = colors.red(`kill -9 ${worker.pid}`)
    this.#screen.say(`${at}  ${kill}: ${worker.name} dies on purpose. The journal says it holds`)
    this.#screen.say(`         ${held.join(', ')}.`)
    this.#screen.say(`         ${others} gets them when the lease of ${seconds(LEASE_MS)} is over.`)
    // Only once it is surely dead may the others go on, or it might finish what it holds.
    program.exit.then(
      () => rmSync(this.#gate, { force: true }),
      () => {},
    )
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The same work in one loop in this process, with no run around it, gives the same text. It is done before the play:
   * the report may lie in the folder, and a link that leads to it would lead nowhere before and somewhere after.
   */
  async #recount(): Promise<string> {
    const { folder, files } = this.#options
    const all = []
    for (const file of files) all.push(await analyseFile(folder, file))
    return writeReport(all)
  }

  async #equalsRecount(): Promise<boolean> {
    return (await readFile(this.#options.report ?? join(this.#home, 'report.md'), 'utf8')) === this.#expected
  }

  /** Those that still run are asked, the client and whoever does not listen are not. */
  async #stopAll(): Promise<void> {
    for (const worker of this.#workers) if (worker.state !== 'killed') worker.state = 'stopped'
    for (const program of this.#programs) program.kill('SIGTERM')
    const force = setTimeout(() => {
      for (const program of this.#programs) program.kill('SIGKILL')
    }, LEASE_MS)
    await Promise.allSettled(this.#programs.map(({ exit }) => exit))
    clearTimeout(force)
    await this.#place?.close()
  }

  async #finish(end: { status: string; isRight: boolean; problem: string | undefined }) {
    const { status, isRight } = end
    const interrupted = this.#interrupted !== undefined
    const problem = interrupted ? 'nothing is left behind' : end.problem
    const story = this.#story
    const isGood = isRight && problem === undefined
    const keep = this.#options.keep || (!isGood && !interrupted)
    if (interrupted) rmSync(this.#home, { recursive: true, force: true })
    else if (!keep)
      for (const name of ['store', 'worker-1.log', 'worker-2.log', 'client.log', 'gate']) this.#remove(name)
    const report = this.#options.report ?? join(this.#home, 'report.md')
    if (isGood) await printResult({ stream: this.#stream, story, killed: this.#killed, report, ...this.#places(keep) })
    else this.#stream.write(`\n${colors.red(interrupted ? 'Stopped' : 'The demo did not succeed')}: ${problem}\n`)
    if (keep && !isGood && !interrupted) this.#stream.write(`Everything it left is in ${this.#home}\n`)
    if (this.#options.json) {
      const { durationMs, recovered } = story
      const { files } = this.#options
      const result = {
        runId: this.#runId,
        status,
        files: files.length,
        killedWorker: this.#killed?.name ?? null,
        recoveredNodes: recovered.length,
        durationMs,
      }
      process.stdout.write(`${JSON.stringify(result)}\n`)
    }
    if (this.#interrupted !== undefined) return exitCodes[this.#interrupted.by]
    return isGood ? 0 : 1
  }

  #places(keep: boolean) {
    const { folder, places } = this.#options
    const isKept = keep || places.store !== 'files'
    return { folder, runId: this.#runId, kept: isKept ? this.#place?.shown : undefined, places }
  }

  #remove(name: string): void {
    rmSync(join(this.#home, name), { recursive: true, force: true })
  }

  get #flowsFile(): string {
    return join(import.meta.dirname, `flows${extname(import.meta.filename)}`)
  }
}
