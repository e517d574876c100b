import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node'

/**
 * Closes a test run with its totals alone on the last line of stdout: `N passed, N failed, N skipped`. Above it, where whoever sees only
 * the end of a log finds them: the tests that failed, a line each, and those that passed at the second try.
 *
 * What vitest reports beside the tests counts as failed too: a file that could not be collected, a suite whose hook
 * threw, an error nobody caught. A run in which no test ran fails, because it proves nothing.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const notes = unhandledErrors.map(({ message }) => `failed: ${firstLine(message)}`)
    for (const module of modules) {
      const outside = [module, ...module.children.allSuites()].flatMap((each) => each.errors())
      totals.failed += outside.length
      for (const { message } of outside) notes.push(`failed: ${module.relativeModuleId}: ${firstLine(message)}`)
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // `pending`: the run was broken off before this test came up.
        totals[state === 'pending' ? 'skipped' : state] += 1
        if (state === 'failed') notes.push(`failed: ${nameOf(test)}`)
        else if (test.diagnostic()?.flaky === true) notes.push(`passed at the second try: ${nameOf(test)}`)
      }
    }
    if (totals.failed > 0 || totals.passed === 0) process.exitCode = 1

    // Other reporters, and coverage, may still print: wait for the very end.
    process.once('exit', () => {
      for (const note of notes) process.stdout.write(`${note}\n`)
      process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`)
    })
  }
}

function nameOf(test: TestCase): string {
  return [test.project.name, test.module.relativeModuleId, test.fullName].filter((part) => part !== '').join(' ')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
