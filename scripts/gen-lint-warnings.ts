/**
 * Writes docs/lint-warnings.md from the rules of core, so that the page cannot say what the code does not.
 *
 * `npx tsx scripts/gen-lint-warnings.ts` writes it; with `--check`, as part of `npm run check`, it only says whether the
 * page is what would be written.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lintRules } from '../packages/core/src/analysis/lint-rules.ts'
import { houseRoot } from './house.ts'

const head = `<!-- Generated from packages/core/src/analysis/lint-rules.ts by scripts/gen-lint-warnings.ts. Edit there. -->

# Lint warnings

What \`lintBlueprint(blueprint)\` warns of: it is legal, and probably not what was meant. The \`code\` is one of these and
stays what it is. How to ask: [understand a flow](guides/understand-a-flow.md#what-is-probably-wrong).`

const page = join(houseRoot, 'docs', 'lint-warnings.md')
const sections = Object.entries(lintRules).map(([code, { about, hint }]) =>
  [`## ${code}`, about, `**What to do.** ${hint}`].join('\n\n'),
)
const text = `${[head, ...sections].join('\n\n')}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(page, text)
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  console.error('docs/lint-warnings.md is not what core says. Write it anew: npx tsx scripts/gen-lint-warnings.ts')
  process.exitCode = 1
} else {
  console.log('docs/lint-warnings.md says what core says.')
}
