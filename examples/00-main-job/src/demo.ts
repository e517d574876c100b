/** `npm run demo`: reads what was typed, and has the play begin. */
import { join } from 'node:path'
import { Mistake } from './mistake.ts'
import { type DemoOptions, help, readOptions } from './options.ts'
import { Demo } from './play.ts'

const EXIT_BAD_INPUT = 2
const house = join(import.meta.dirname, '../../..')

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: DemoOptions | 'help'
  try {
    options = await readOptions(args, house)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    process.stderr.write(`${error.message}.\n${error.hint}\n`)
    return EXIT_BAD_INPUT
  }
  if (options === 'help') {
    process.stdout.write(help)
    return 0
  }
  return new Demo(options, house).run()
}
