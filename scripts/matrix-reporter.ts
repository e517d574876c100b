/** Prints how each pair has fared, as a table, why some could not be had, and a last line for programs: `N pairs, all passed`. */
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

interface Fate {
  passed: number
  readonly failed: string[]
}

const PAIR = / × /

export default class TableReporter implements Reporter {
  /** By queue and store. */
  readonly #pairs = new Map<string, Fate>()
  /** Of pairs that cannot be had here. */
  readonly #reasons = new Map<string, string>()

  onTestCaseResult(test: TestCase): void {
    const pair = pairOf(test)
    const { state } = test.result()
    if (pair === undefined) return
    // All that such a pair has is this test, named after the reason.
    if (state === 'skipped') return void this.#reasons.set(pair, test.name)
    const fate = this.#pairs.get(pair) ?? { passed: 0, failed: [] }
    this.#pairs.set(pair, fate)
    if (state === 'passed') fate.passed += 1
    else fate.failed.push(test.name)
  }

  onTestSuiteResult(suite: TestSuite): void {
    const fate = this.#pairs.get(suite.name)
    if (fate !== undefined) process.stderr.write(`${suite.name}: ${textOf(fate)}\n`)
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = [...this.#pairs.keys(), ...this.#reasons.keys()].map((pair) => pair.split(PAIR))
    const queues = [...new Set(names.map(([queue = '']) => queue))]
    const stores = [...new Set(names.map(([, store = '']) => store))]
    const rows = [
      ['queue', ...stores],
      ...queues.map((queue) => [queue, ...stores.map((store) => textOf(this.#pairs.get(`${queue} × ${store}`)))]),
    ]
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
    for (const row of rows) {
      process.stdout.write(
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
      )
    }
    for (const reason of new Set(this.#reasons.values())) {
      const pairs = [...this.#reasons].flatMap(([pair, why]) => (why === reason ? [pair] : []))
      process.stdout.write(`${pairs.join(', ')}: not here, since ${reason}\n`)
    }
    for (const [pair, { failed }] of this.#pairs) for (const name of failed) process.stdout.write(`${pair}: ${name}\n`)
    const broken = [...this.#pairs.values()].filter(({ failed }) => failed.length > 0).length
    const isWhole = modules.every((module) => module.ok())
    const count = this.#pairs.size
    process.stdout.write(
      broken === 0 && isWhole ? `${count} pairs, all passed\n` : `${count} pairs, ${broken} failed\n`,
    )
  }
}

function pairOf(test: TestCase): string | undefined {
  let parent = test.parent
  while (parent.type === 'suite') {
    if (PAIR.test(parent.name)) return parent.name
    parent = parent.parent
  }
  return undefined
}

function textOf(fate: Fate | undefined): string {
  if (fate === undefined) return 'not here'
  return fate.failed.length === 0 ? `${fate.passed} passed` : `${fate.failed.length} FAILED`
}
