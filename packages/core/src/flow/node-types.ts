/** What a flow knows of the types of its nodes, so that an edge between two that do not fit is a type error. */
import type { NodeResult, NodeReturn } from '../engine/node-function.ts'
import type { SchemaInput, StandardSchemaV1 } from '../model/standard-schema.ts'

/** What a node takes from an edge, and what it gives. Part of the type of a flow, so that users' declarations name it. */
export interface NodeTypes<Id extends string, Takes, Gives> {
  readonly id: Id
  readonly takes: Takes
  readonly gives: Gives
}

/** What a function may return: as it is, or later. */
export type Returns = NodeReturn<unknown> | Promise<NodeReturn<unknown>>

/**
 * The type of the outputs among what a function returns, which is taken as a whole: of a union, each member may have an
 * output of its own type. Where none has one, nobody has said what it is.
 */
export type OutputOf<Return> = [OutputIn<Awaited<Return>>] extends [never] ? unknown : OutputIn<Awaited<Return>>

type OutputIn<Return> = Return extends { readonly output?: infer Output } ? Exclude<Output, undefined> : never

/** What code must return for an output that goes through a schema: all of it, unless the schema takes nothing. */
export type ReturnsFor<Schema extends StandardSchemaV1> =
  undefined extends SchemaInput<Schema>
    ? NodeReturn<SchemaInput<Schema>>
    : NodeResult<SchemaInput<Schema>> & { readonly output: SchemaInput<Schema> }

/** A node with `inputs` takes what those say, and not what an edge brings. */
export type Taken<Inputs, Input> = Inputs extends undefined ? Input : unknown

/** A map takes any list, and gives one of its own. */
export type ListTaken<Item> = unknown extends Item ? unknown : readonly Item[]
export type ListGiven<Item> = unknown extends Item ? unknown : Item[]

/** Nothing to object to, or a type that no id has and that shows what does not fit. */
export type Fitting<Types, Source extends string, Target extends string> = string extends Source | Target
  ? unknown
  : [Of<Types, Source>, Of<Types, Target>] extends [
        NodeTypes<Source, unknown, infer Gives>,
        NodeTypes<Target, infer Takes, unknown>,
      ]
    ? Goes<Gives, Takes, Source> extends true
      ? unknown
      : Misfit<Gives, Takes>
    : unknown

type Of<Types, Id extends string> = Extract<Types, { readonly id: Id }>

/** A join of all takes an object of outputs by predecessor, so the output may also fit the member of that name. */
type Goes<Gives, Takes, Source extends string> =
  IsVague<Gives> extends true
    ? true
    : [Gives] extends [Takes]
      ? true
      : Source extends keyof Takes
        ? [Gives] extends [Takes[Source]]
          ? true
          : false
        : false

/** `unknown`, `any`, `{} | null` and their like: nobody has said what it is. */
type IsVague<Type> = unknown extends Type ? true : NonNullable<unknown> extends Type ? true : false

interface Misfit<Gives, Takes> {
  readonly 'the output of the source does not fit the input of the target': readonly [Gives, Takes]
}
