/**
 * Writes docs/errors.md from the error table of core, so that the page cannot say what the code does not.
 *
 * `npx tsx scripts/gen-errors.ts` writes it; with `--check`, as part of `npm run check`, it only says whether the page is
 * what would be written.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errors } from '../packages/core/src/model/errors.ts'
import { houseRoot } from './house.ts'

const head = `<!-- Generated from packages/core/src/model/errors.ts by scripts/gen-errors.ts. Edit there. -->

# Errors

Every error that leaves Baton is a \`BatonError\`. Its \`code\` is one of these and stays what it is; its message is for
people and may change. Recognise it with \`BatonError.is(error, code)\`.`

const page = join(houseRoot, 'docs', 'errors.md')
const text = toMarkdown(errors)

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, text)
} else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  console.error('docs/errors.md is not what core says. Write it anew: npx tsx scripts/gen-errors.ts')
  process.exitCode = 1
} else {
  console.log('docs/errors.md says what core says.')
}

function toMarkdown(table: Readonly<Record<string, { retryable: boolean; about: string; hint: string }>>): string {
  const sections = Object.entries(table).map(([code, { retryable, about, hint }]) =>
    [
      `## ${code}`,
      about,
      `**What to do.** ${hint}`,
      retryable ? 'Trying again may help.' : 'Trying again will not help.',
    ].join('\n\n'),
  )
  return `${[head, ...sections].join('\n\n')}\n`
}
