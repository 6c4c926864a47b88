import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { isAllowed, isStaff, type Permission, type SessionUser } from '@/lib/identity'
import { safePath } from './safe-path'
import { currentUser } from './session'

/** Set by proxy.ts on every request: the path and query that were asked for. */
export const PATH_HEADER = 'x-sluice-path'

/** Where to sign in, coming back to the page that was asked for. */
export async function signInPath(): Promise<string> {
  const asked = safePath((await headers()).get(PATH_HEADER))
  return asked === '/account' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(asked)}`
}

/** The signed-in person. Everybody else is sent to sign in, and comes back. The first line of every account page. */
export async function requireUser(): Promise<SessionUser> {
  const user = await currentUser()
  if (!user) redirect(await signInPath())
  return user
}

/**
 * The signed-in member of staff who may do this. Nobody is sent to sign in; somebody without the right sees what a stranger sees on an address that
 * does not exist. The first line of every admin page. Of several permissions any one opens it; without one any staff may, for the frame.
 */
export async function requireAdmin(...anyOf: readonly Permission[]): Promise<SessionUser> {
  const user = await requireUser()
  const isAdmitted =
    anyOf.length === 0 ? isStaff(user.role) : anyOf.some((permission) => isAllowed(user.role, permission))
  if (!isAdmitted) notFound()
  return user
}
