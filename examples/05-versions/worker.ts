/** A worker process of one version: `worker.ts <folder> <version>`. It leaves when it is told to. */
import { join } from 'node:path'
import { FileAdapter } from '@baton/store-file'
import { codeOf } from './payments.ts'

const [directory = '', version = ''] = process.argv.slice(2)

const worker = new FileAdapter({ directory, runtimeOptions: codeOf(version, join(directory, 'witness.txt')) })
worker.start()
console.log('ready')

process.once('SIGTERM', () => void worker.close())
