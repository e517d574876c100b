/** A certificate for brokers on this machine, and the authority that has signed it: made once by Java's own tool, and kept. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './cache.ts'

const run = promisify(execFile)

/** What they are like; others have another name in the cache. */
const FOLDER = 'kafka-certificates-1'
const DAYS = '3650'

export interface KafkaCertificates {
  /** PKCS12, with the key of the broker and its certificate. */
  readonly keystore: string
  readonly password: string
  /** The certificate of the authority, as text: PEM. */
  readonly authority: string
}

/** For 127.0.0.1 and localhost. */
export async function kafkaCertificates(): Promise<KafkaCertificates> {
  const folder = await madeOnce(FOLDER, make)
  return {
    keystore: join(folder, KEYSTORE),
    password: PASSWORD,
    authority: readFileSync(join(folder, AUTHORITY), 'utf8'),
  }
}

const KEYSTORE = 'broker.p12'
const AUTHORITY = 'authority.pem'
// It guards nothing that is worth it.
const PASSWORD = 'baton-test'

async function make(folder: string): Promise<void> {
  mkdirSync(folder)
  const store = ['-keystore', join(folder, KEYSTORE), '-storetype', 'PKCS12', '-storepass', PASSWORD]
  const key = ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', DAYS]
  const keytool = (...args: readonly string[]) => run('keytool', [...args, ...store])
  await keytool(...key, '-alias', 'authority', '-dname', 'CN=Baton test authority', '-ext', 'bc:c=ca:true')
  const names = 'san=ip:127.0.0.1,dns:localhost'
  await keytool(...key, '-alias', 'broker', '-dname', 'CN=broker', '-ext', names, '-signer', 'authority')
  await keytool('-exportcert', '-rfc', '-alias', 'authority', '-file', join(folder, AUTHORITY))
  // A broker would take either key for its own.
  await keytool('-delete', '-alias', 'authority')
}
