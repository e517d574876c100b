/**
 * Standard Schema v1 (https://standardschema.dev), the shape that zod, valibot, arktype and others give their schemas.
 * The types are copied, as the specification invites one to do: core validates with any of them and depends on none.
 */

export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': StandardProps<Input, Output>
}

export interface StandardProps<Input = unknown, Output = Input> {
  readonly version: 1
  /** The name of the library. */
  readonly vendor: string
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
  /** For types only. */
  readonly types?: StandardTypes<Input, Output> | undefined
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | StandardPathSegment)[] | undefined
}

export interface StandardPathSegment {
  readonly key: PropertyKey
}

export interface StandardTypes<Input = unknown, Output = Input> {
  readonly input: Input
  readonly output: Output
}

/** What a schema takes. */
export type SchemaInput<Schema> = Schema extends StandardSchemaV1<infer Input, unknown> ? Input : never

/** What a schema gives: after its defaults and transforms. */
export type SchemaOutput<Schema> = Schema extends StandardSchemaV1<unknown, infer Output> ? Output : never

/** Schemas of some libraries are functions. */
export function isStandardSchema(data: unknown): data is StandardSchemaV1 {
  if ((typeof data !== 'object' && typeof data !== 'function') || data === null) return false
  const props = (data as { '~standard'?: unknown })['~standard']
  if (typeof props !== 'object' || props === null) return false
  const { version, validate } = props as { version?: unknown; validate?: unknown }
  return version === 1 && typeof validate === 'function'
}

/** Where in a value an issue lies, as one would write it: `input.items[3]["unit price"]`. */
export function issuePath(root: string, { path = [] }: StandardIssue): string {
  return path.reduce<string>((place, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') return `${place}[${key}]`
    if (typeof key === 'symbol') return `${place}[${String(key)}]`
    return IDENTIFIER.test(key) ? `${place}.${key}` : `${place}[${JSON.stringify(key)}]`
  }, root)
}

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
