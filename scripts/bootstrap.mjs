/**
 * The door to every root script: `node scripts/bootstrap.mjs <command> [arguments…]`.
 *
 * A fresh clone has Node and npm, and nothing else. So this file is plain JavaScript on Node's built-ins alone (Node 20
 * cannot read TypeScript before an install): it fetches the pnpm that package.json names, has it install what the
 * command needs, builds what the command runs, and then becomes the command. Its exit code is the command's.
 *
 * Whatever is said on the way goes to stderr. Stdout belongs to the command, so that the last line of
 * `npm run demo -- --json` is JSON.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = readJson(join(root, 'package.json'))
const pnpmVersion = manifest.packageManager.replace(/^pnpm@/, '')

/**
 * What each command needs, and what it runs.
 *
 * - `install`: the packages to install, in pnpm's filter words (`...` adds what a package depends on). Left out: all.
 * - `build`: the packages to build first; turbo builds what they depend on, and skips what it has built before. `[]` is
 *   all of them. Left out: none, types come from the sources, and tests but for the programs that they start.
 * - `env`: variables for it.
 * - `run`: the program. What the person typed follows it. Under `node`, the nearest process to the person is the command
 *   itself; under `pnpm exec`, pnpm is on the PATH, which turbo wants.
 */
const commands = {
  demo: {
    // All examples: what the demo tells people to look at next should run as well.
    install: [manifest.name, '@baton/worker...', '@baton/client...', '@baton/example-*...'],
    build: ['@baton/worker', '@baton/client', '@baton/example-main-job'],
    run: ['node', 'examples/00-main-job/dist/demo.js'],
  },
  // Tests that start processes start what was built. The peers of benchmarks are nobody's business but theirs.
  test: {
    install: ['!@baton/bench'],
    build: ['!@baton/bench'],
    run: ['node', 'node_modules/vitest/vitest.mjs', 'run'],
    env: { BATON_TEST_BUILT: 'yes' },
  },
  check: { run: ['pnpm', 'exec', 'tsx', 'scripts/check.ts'] },
  typecheck: { run: ['pnpm', 'exec', 'tsx', 'scripts/check.ts', 'types'] },
  lint: { run: ['pnpm', 'exec', 'tsx', 'scripts/check.ts', 'lint'] },
  format: { run: ['node', 'scripts/node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'] },
  build: { run: ['pnpm', 'exec', 'turbo', 'run', 'build'] },
  bench: {
    install: [manifest.name, '@baton/bench...'],
    build: ['@baton/bench'],
    run: ['node', 'packages/bench/dist/main.js'],
  },
  simulate: {
    install: [manifest.name, '@baton/testing...'],
    build: ['@baton/testing'],
    run: ['node', 'packages/testing/dist/simulator/command/main.js'],
  },
  chaos: {
    install: [manifest.name, '@baton/proof...'],
    build: ['@baton/proof'],
    run: ['node', 'packages/proof/dist/chaos/main.js'],
  },
  matrix: {
    install: [manifest.name, '@baton/proof...'],
    run: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/matrix.config.ts'],
  },
  changeset: { run: ['node', 'scripts/node_modules/@changesets/cli/bin.js'] },
}

await main(process.argv[2], process.argv.slice(3))

async function main(name, typed) {
  requireNode()
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
  if (command === undefined) fail(`Say which command: ${Object.keys(commands).join(', ')}.`)

  process.chdir(root)
  Object.assign(process.env, { TURBO_TELEMETRY_DISABLED: '1', npm_config_update_notifier: 'false', ...command.env })

  install(name, command.install)
  if (command.build !== undefined) build(name, command.build)

  // npm swallows the `--` of `npm run demo -- --json`; pnpm hands it on.
  const args = typed[0] === '--' ? typed.slice(1) : typed
  const [program, ...rest] = command.run
  const [file, ...before] = program === 'node' ? [process.execPath] : pnpm()
  process.exitCode = await become(file, [...before, ...rest, ...args])
}

/** Old Nodes fail later with a riddle; here they get a sentence. */
function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [needMajor, needMinor] = manifest.engines.node.match(/\d+/g).map(Number)
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return
  fail(`Baton needs Node ${needMajor}.${needMinor} or newer; this is ${process.versions.node}. See https://nodejs.org.`)
}

/**
 * Installs unless the last install was for these very dependencies.
 *
 * The stamp holds one fingerprint per scope, because installing for the demo leaves the rest of the house empty: a later
 * `npm test` must not take that for an install of everything, while an install of everything serves the demo too.
 */
function install(name, filters) {
  const stampFile = join(root, 'node_modules', '.baton', 'installed.json')
  const stamp = existsSync(stampFile) ? readJson(stampFile) : {}
  const scope = filters === undefined ? 'everything' : filters.join(' ')
  const wanted = fingerprint()
  if (stamp.everything === wanted || stamp[scope] === wanted) return

  say(filters === undefined ? 'Installing …' : `Installing what the ${name} needs …`)
  step([...(filters ?? []).map((filter) => `--filter=${filter}`), 'install', '--frozen-lockfile'], { show: 'always' })

  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, `${JSON.stringify({ ...stamp, [scope]: wanted }, null, 2)}\n`)
}

/** Changes when another install could give other files: a dependency, pnpm, the platform, or Node's binary interface. */
function fingerprint() {
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  return hash.update([pnpmVersion, process.platform, process.arch, process.versions.modules].join()).digest('hex')
}

function build(name, packages) {
  say(packages.length === 0 ? 'Building …' : `Building what the ${name} needs …`)
  const filters = packages.map((each) => `--filter=${each}`)
  step(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only', ...filters], { show: 'when it fails' })
}

/** How to start pnpm: the one that started us if it will do, else the one package.json names, fetched by npx. */
function pnpm() {
  const started = /^pnpm\/(\d+)\./.exec(process.env.npm_config_user_agent ?? '')
  const path = process.env.npm_execpath
  if (started?.[1] === pnpmVersion.split('.')[0] && path !== undefined) {
    return /\.[cm]?js$/.test(path) ? [process.execPath, path] : [path]
  }
  return ['npx', '-y', `pnpm@${pnpmVersion}`]
}

/** Runs pnpm for a step on the way to the command; what it prints goes to stderr. If it fails, we end as it ended. */
function step(args, { show }) {
  const [file, ...before] = pnpm()
  const output = show === 'always' ? 2 : 'pipe'
  const done = spawnSync(file, [...before, ...args], {
    stdio: ['ignore', output, output],
    shell: needsShell(file),
    maxBuffer: 64 * 1024 * 1024,
  })
  if (done.error) fail(`${file} did not start: ${done.error.message}`)
  if (done.status === 0) return
  if (show !== 'always') process.stderr.write(Buffer.concat([done.stdout, done.stderr]))
  process.exit(exitCode(done.status, done.signal))
}

/** Runs the command itself and answers with its exit code. It shares our terminal, and our end. */
function become(file, args) {
  const child = spawn(file, args, { stdio: 'inherit', shell: needsShell(file) })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // Ctrl-C in a terminal reaches the child without us; sent twice it would read as "hurry". We only outlive it.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))

  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${file} did not start: ${error.message}`))
    child.on('exit', (status, signal) => resolve(exitCode(status, signal)))
  })
}

/** On Windows npx is a script, which only a shell can start. */
function needsShell(file) {
  return process.platform === 'win32' && file === 'npx'
}

/** A process that a signal ended has no exit code; shells give it 128 plus the signal's number. */
function exitCode(status, signal) {
  return status ?? 128 + (constants.signals[signal] ?? 0)
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function say(line) {
  process.stderr.write(`${line}\n`)
}

function fail(line) {
  say(line)
  process.exit(1)
}
