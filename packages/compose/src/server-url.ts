/** The part of a URL that says where servers are, and who asks. */
import { mistake } from './mistake.ts'
import { partedAt } from './url-parameters.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
}

export interface Credentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** @param example of a whole URL, for the hint */
export function serverAt(text: string, field: string, defaultPort: number, example: string): ServerAddress {
  const [, bare, bracketed, port = String(defaultPort)] =
    /^(?:([^\s:[\]#]+)|\[([\da-f:.]+)\])(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = bare ?? bracketed
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw mistake(field, `${JSON.stringify(text)} is no host and port`, example)
  }
  return { host, port: Number(port) }
}

export function credentialsOf(text: string | undefined, field: string): Credentials {
  if (text === undefined) return { username: undefined, password: undefined }
  const [user = '', password = ''] = partedAt(text, ':').map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      throw mistake(field, 'a % in the user or the password stands for itself only as %25', 'Write %25 for each.')
    }
  })
  return { username: user === '' ? undefined : user, password: password === '' ? undefined : password }
}
