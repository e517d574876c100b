import { dirname, join } from 'node:path'
import ts from 'typescript'
import { listPackages } from './house.ts'

/** A piece of TypeScript that lies in no file of its own. `path` says from where it would import. */
export interface Snippet {
  readonly path: string
  readonly code: string
}

/** What the compiler says of a snippet; `line` counts from 1 within it. */
export interface Complaint {
  readonly snippet: Snippet
  readonly line: number
  readonly message: string
}

/**
 * Type-checks snippets as modules of the house: under the rules of tsconfig.base.json, with `@baton/…` read from the
 * sources wherever the snippet stands. Nothing is written to the disk; the compiler is told of files that are not there.
 */
export function typeCheck(root: string, snippets: readonly Snippet[]): Complaint[] {
  const byPath = new Map(snippets.map((snippet) => [snippet.path, snippet]))
  const base = compilerOptions(root)
  const paths = { ...libraries(root, base), ...doors(root) }
  const options = { ...base, noUnusedLocals: false, noUnusedParameters: false, paths }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => byPath.has(path) || fileExists(path)
  host.readFile = (path) => byPath.get(path)?.code ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const snippet = byPath.get(path)
    return snippet ? ts.createSourceFile(path, snippet.code, version) : getSourceFile(path, version, ...rest)
  }

  const program = ts.createProgram({ rootNames: [...byPath.keys()], options, host })
  return [...byPath].flatMap(([path, snippet]) => {
    const file = program.getSourceFile(path)
    if (file === undefined) return []
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((diagnostic) => ({
      snippet,
      line: file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1,
      message: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
    }))
  })
}

function compilerOptions(root: string): ts.CompilerOptions {
  const path = join(root, 'tsconfig.base.json')
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile)
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'))
  return ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, dirname(path)).options
}

/** Every door of every package, by the name that a user imports, and the source behind it. */
function doors(root: string): Record<string, string[]> {
  const found = listPackages(root).flatMap(({ folder, manifest: { name, exports = {} } }) =>
    Object.entries(exports).flatMap(([door, conditions]) => {
      const source = typeof conditions === 'string' ? undefined : conditions['@baton/source']
      return source === undefined ? [] : [{ name: `${name}${door.slice(1)}`, path: join(root, folder, source) }]
    }),
  )
  return Object.fromEntries(found.map(({ name, path }) => [name, [path]]))
}

/** Libraries that pages show beside Baton: found where the package that tries them out finds them. */
function libraries(root: string, options: ts.CompilerOptions): Record<string, string[]> {
  const proof = listPackages(root).find(({ folder }) => folder === 'packages/proof')
  const from = join(root, 'packages/proof/src/index.ts')
  const found = Object.keys(proof?.manifest.dependencies ?? {}).flatMap((name) => {
    const { resolvedModule } = ts.resolveModuleName(
      name,
      from,
      options,
      ts.sys,
      undefined,
      undefined,
      ts.ModuleKind.ESNext,
    )
    return resolvedModule === undefined ? [] : [{ name, path: resolvedModule.resolvedFileName }]
  })
  return Object.fromEntries(found.map(({ name, path }) => [name, [path]]))
}
