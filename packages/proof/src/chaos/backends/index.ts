import type { Backend } from '../backend.ts'
import { fileBackend } from './file.ts'

/** By the name behind `--adapter`. */
export const backends: { readonly [name: string]: Backend } = { file: fileBackend }
