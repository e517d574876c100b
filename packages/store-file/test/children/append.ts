/** Appends numbered records to a log until it is killed, and prints each number once its record is safe. */
import { FolderSync } from '../../src/disk.ts'
import { OpenFiles } from '../../src/open-files.ts'
import { SharedLog } from '../../src/shared-log.ts'

const [path = '', name = '', bytes = '100', count = '1e9'] = process.argv.slice(2)
const log = new SharedLog({
  path,
  files: new OpenFiles(8),
  folders: new FolderSync(),
  fsynced: true,
})
const padding = 'x'.repeat(Number(bytes))

for (let number = 0; number < Number(count); number++) {
  const { records, mine } = log.append(JSON.stringify({ name, number, padding }), { create: true })
  if ((JSON.parse(records[mine]?.text ?? '{}') as { number?: number }).number !== number)
    throw new Error('not my record')
  await log.flush()
  process.stdout.write(`${number}\n`)
}
