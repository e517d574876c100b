/** Adds one to a counter again and again, and prints each sum it got; stops after `count`. */
import { FileCoordinationStore } from '../../src/coordination-store.ts'

const [directory = '', count = '0', sealBytes = '4096'] = process.argv.slice(2)
const store = new FileCoordinationStore({ directory, sealBytes: Number(sealBytes) })

for (let number = 0; number < Number(count); number++) {
  const sum = await store.increment('counter')
  await store.setIfNotExist(`mark-${sum}`, String(process.pid))
  process.stdout.write(`${sum}\n`)
}
await store.close()
