/**
 * Packs each package that we publish, as a release would, and looks at the tarball: publint reads its package.json as
 * tools will, attw resolves its types as compilers will. Needs built packages and pnpm on the PATH; `npm run check` sees
 * to both.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { houseRoot, listPackages, type Package } from './house.ts'

const folder = mkdtempSync(join(tmpdir(), 'baton-pack-'))
try {
  for (const each of listPackages(houseRoot).filter(({ manifest }) => !manifest.private)) {
    const flaws = await checkPackage(each)
    console.log(`${each.manifest.name}: ${flaws.length === 0 ? 'ok' : flaws.join('\n  ')}`)
    if (flaws.length > 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}

async function checkPackage({ folder: home, manifest }: Package): Promise<string[]> {
  const destination = mkdtempSync(join(folder, 'one-'))
  const packed = run('pnpm', ['pack', '--pack-destination', destination], join(houseRoot, home))
  const tarball = readdirSync(destination).find((name) => name.endsWith('.tgz'))
  if (!packed.ok || tarball === undefined) return [`pnpm pack failed\n${packed.output}`]
  const path = join(destination, tarball)

  const { messages, pkg } = await publint({ pkgDir: 'package', strict: true, pack: { tarball: toArrayBuffer(path) } })
  const flaws = messages.map((message) => `publint: ${formatMessage(message, pkg)}`)

  // Our own condition leads to sources, which are not in the tarball.
  if (JSON.stringify(pkg?.exports).includes('@baton/source')) flaws.push('its exports still name @baton/source')

  const files = run('tar', ['-tzf', path])
    .output.split('\n')
    .map((file) => file.replace('package/', ''))
  for (const file of ['LICENSE', 'README.md']) if (!files.includes(file)) flaws.push(`${file} is missing`)
  for (const file of files.filter((name) => /^dist\/.*\.js$/.test(name))) {
    // What several entries of a bundle share has a name of its own.
    if (file.startsWith('dist/chunks/')) continue
    const source = file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts')
    if (!existsSync(join(houseRoot, home, source))) flaws.push(`${file} is left from an older build: remove dist`)
  }

  const attw = run(process.execPath, [
    join(houseRoot, 'scripts/node_modules/@arethetypeswrong/cli/dist/index.js'),
    path,
    '--profile=esm-only',
    '--no-color',
    '--exclude-entrypoints=package.json',
  ])
  if (!attw.ok) flaws.push(`attw: ${manifest.name}\n${attw.output}`)
  return flaws
}

function run(command: string, args: readonly string[], cwd = houseRoot): { ok: boolean; output: string } {
  const shell = process.platform === 'win32' && command === 'pnpm'
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, shell, encoding: 'utf8' })
  return { ok: status === 0, output: `${stdout}${stderr}` }
}

function toArrayBuffer(path: string): ArrayBuffer {
  return new Uint8Array(readFileSync(path)).buffer
}
