/**
 * Everything about the house that a machine can tell without running it. All steps run, so that one look shows all that
 * is wrong; the exit code is 1 if any failed.
 *
 * `npm run check` runs them all; `npm run check types docs` only these.
 */
import { spawnSync } from 'node:child_process'
import { houseRoot } from './house.ts'

/** A step: what it makes sure of, and the commands that do. */
interface Step {
  readonly name: string
  readonly about: string
  readonly commands: readonly (readonly string[])[]
}

const steps: readonly Step[] = [
  {
    name: 'types',
    about: 'every package type-checks, tests too, from the sources',
    // As one program: package by package the sources that they share would be read and checked again for each.
    commands: [['node_modules/typescript/bin/tsc', '-p', 'tsconfig.house.json']],
  },
  {
    name: 'lint',
    about: 'one style, and none of the known mistakes',
    commands: [tool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.')],
  },
  {
    name: 'boundaries',
    about: 'who may import whom; core depends on nothing',
    commands: [script('check-boundaries.ts')],
  },
  {
    name: 'pins',
    about: 'one version of each tool',
    commands: [script('check-pins.ts')],
  },
  {
    name: 'docs',
    about: 'examples type-check, links lead somewhere, the pages of errors and warnings are what core says',
    commands: [script('check-docs.ts'), script('gen-errors.ts', '--check'), script('gen-lint-warnings.ts', '--check')],
  },
  {
    name: 'unused',
    about: 'no dependency, file or export that nobody needs',
    commands: [tool('knip/bin/knip.js', '--no-progress', '--no-config-hints')],
  },
  {
    name: 'packages',
    about: 'what we would publish installs and resolves',
    commands: [turbo('build'), script('check-packages.ts')],
  },
]

function turbo(task: string): string[] {
  return ['node_modules/turbo/bin/turbo', 'run', task, '--continue', '--output-logs=errors-only']
}

function tool(path: string, ...args: string[]): string[] {
  return [`scripts/node_modules/${path}`, ...args]
}

function script(name: string, ...args: string[]): string[] {
  return ['--import', 'tsx', `scripts/${name}`, ...args]
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. There are: ${steps.map(({ name }) => name).join(', ')}.`)
  process.exit(1)
}

const failed: string[] = []
for (const { name, about, commands } of steps.filter((step) => asked.length === 0 || asked.includes(step.name))) {
  console.log(`\n── ${name}: ${about}`)
  const startedAtMs = Date.now()
  // Not `every`: the second command of a step has something to say even when the first has failed.
  const broken = commands.filter((command) => !runs(command))
  if (broken.length > 0) failed.push(name)
  console.log(
    `── ${name}: ${broken.length > 0 ? 'FAILED' : 'ok'} (${((Date.now() - startedAtMs) / 1000).toFixed(1)} s)`,
  )
}

console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : '\nAll well.')
process.exitCode = failed.length > 0 ? 1 : 0

function runs(command: readonly string[]): boolean {
  return spawnSync(process.execPath, command, { cwd: houseRoot, stdio: 'inherit' }).status === 0
}
