/** Whether a service has to be there, and what to tell who runs the tests without it. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** `BATON_REQUIRE_SERVICES=redis,kafka` makes a failure of what would be a skip. */
export function isRequired(service: string): boolean {
  const names = process.env.BATON_REQUIRE_SERVICES ?? ''
  return names.split(',').some((name) => name.trim() === service)
}

export function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Why there is none, and the one thing to type. */
export function howToGet(command: string, debianPackage: string, variable: string): string {
  return `there is no ${command} here: ${whatToType(command, debianPackage, variable)}`
}

/** The one thing to type, where that is known. */
export function whatToType(command: string, debianPackage: string, variable: string): string {
  return `${aptInstall(command, debianPackage)}, ${orSet(variable)}`
}

export function aptInstall(command: string, debianPackage: string): string {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  return isOnPath('apt-get')
    ? `install it with \`${sudo}apt-get install -y ${debianPackage}\``
    : `put \`${command}\` on the PATH`
}

function orSet(variable: string): string {
  return `or set ${variable} to the URL of one that may be written to`
}

/** The URL of a service that somebody has started for us. */
export function fromVariable(variable: string): string | undefined {
  const given = process.env[variable] ?? ''
  return given === '' ? undefined : given
}

/** The reason to skip with, where a service may be missing; else a failure. */
export function missing(service: string, why: string, variable: string): string {
  const reason = `${why}, ${orSet(variable)}`
  if (isRequired(service)) throw new Error(`BATON_REQUIRE_SERVICES asks for ${service}, but ${reason}`)
  return reason
}
