import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the checks need to know of a package.json. */
export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** A package of the house: its folder as seen from the root (`packages/core`), and its package.json. */
export interface Package {
  readonly folder: string
  readonly manifest: Manifest
}

/** Where this checkout lies. */
export const houseRoot = join(import.meta.dirname, '..')

/** All packages of the streets `packages`, `apps` and `examples`. */
export function listPackages(root: string): Package[] {
  return ['packages', 'apps', 'examples']
    .filter((street) => existsSync(join(root, street)))
    .flatMap((street) => readdirSync(join(root, street)).map((name) => `${street}/${name}`))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(join(root, folder, 'package.json')) as Manifest }))
}

/** The files under a folder whose names end in one of the endings, as paths from the root; without what tools wrote. */
export function listFiles(root: string, folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !written.has(entry.name))
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return listFiles(root, path, endings)
      return entry.isFile() && endings.some((ending) => path.endsWith(ending)) ? [path] : []
    })
    .sort()
}

const written = new Set(['node_modules', 'dist', 'coverage', '.turbo', '.git'])

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
