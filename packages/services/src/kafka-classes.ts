/**
 * What makes a broker start in half the time: most of it goes into loading classes, and Java can write down what it has
 * loaded. A first broker on this machine does so when it ends; all later ones begin with that file.
 */
import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { madeOnce } from './cache.ts'
import type { Archives } from './java.ts'
import { startNodes } from './kafka-node.ts'

/** @param toArchive is called before the first broker is started for it */
export function classArchive({ folder, java }: Archives, toArchive: () => void): Promise<string> {
  // Java takes it only where it finds itself and the archives as they were.
  const place = createHash('sha256').update(`${java} ${folder}`).digest('hex').slice(0, 12)
  return madeOnce(`${basename(folder)}-${place}.jsa`, async (fresh) => {
    toArchive()
    const flags = [`-XX:ArchiveClassesAtExit=${fresh}`]
    const [node] = await startNodes(1, { users: {}, settings: {}, archives: folder, flags })
    await node?.server.stop()
    await node?.server.remove()
    // A Java that cannot do it is slower, that is all: it does not mind a file with nothing in it.
    if (!existsSync(fresh)) writeFileSync(fresh, '')
  })
}
