/**
 * An answer that may be there already. Memory and SQLite commit synchronously, and some callers need an id before the
 * current tick ends; ports that answer with this leave room for both. Whoever has no such need just awaits it.
 */
export type Awaitable<T> = T | PromiseLike<T>
