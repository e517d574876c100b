/**
 * For the objects that every node of every run makes: they are built member by member, since spreading parts that are
 * mostly absent costs several times as much.
 */
export type Mutable<Type> = { -readonly [Member in keyof Type]: Type[Member] }
