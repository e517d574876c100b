/** By the name behind `--adapter`: each other file here is one, and is loaded when it is asked for. */
import { readdirSync } from 'node:fs'
import { extname } from 'node:path'
import type { Backend } from '../backend.ts'

/** Of this file: as source or as built. */
const extension = extname(import.meta.filename)

export const adapters: readonly string[] = readdirSync(import.meta.dirname)
  .filter((file) => extname(file) === extension && !file.startsWith('index.') && !file.endsWith('.d.ts'))
  .map((file) => file.slice(0, -extension.length))
  .sort()

/** @returns undefined where there is none of this name */
export async function backendOf(name: string): Promise<Backend | undefined> {
  if (!adapters.includes(name)) return undefined
  const { backend } = (await import(`./${name}${extension}`)) as { readonly backend: Backend }
  return backend
}
