/**
 * Programs of the house that tests start in processes of their own. `npm test` has just built them, and says so: then it is what
 * users run, and it starts in a fifth of the time that its sources take. Whoever starts vitest by hand gets the sources.
 */
const BUILT_VARIABLE = 'BATON_TEST_BUILT'

export interface HouseProgram {
  readonly file: string
  /** What Node has to be told besides. */
  readonly nodeFlags: readonly string[]
}

/**
 * @param source the path of its main file, in the `src` of its package
 * @param given.typescript whether it is told of other files that are TypeScript
 */
export function houseProgram(source: string, given: { readonly typescript?: boolean } = {}): HouseProgram {
  const readsTypeScript = ['--import', 'tsx']
  if (process.env[BUILT_VARIABLE] !== 'yes') {
    return { file: source, nodeFlags: ['--conditions=@baton/source', ...readsTypeScript] }
  }
  const [, folder, path] = /^(.*)[\\/]src[\\/](.*)\.ts$/.exec(source) ?? []
  if (folder === undefined || path === undefined) throw new Error(`${source} is not in the src of a package`)
  return { file: `${folder}/dist/${path}.js`, nodeFlags: given.typescript === true ? readsTypeScript : [] }
}
