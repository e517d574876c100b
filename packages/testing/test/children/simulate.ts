/** Prints the digests of some seeds: from argv[2], argv[3] of them. */
import { simulate } from '../../src/simulator/index.ts'

const [from = 1, count = 1] = process.argv.slice(2).map(Number)
for (let seed = from; seed < from + count; seed++) {
  const { digest } = await simulate({ seed })
  process.stdout.write(`${digest}\n`)
}
