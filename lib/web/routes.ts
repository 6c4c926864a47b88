import { env } from '@/lib/env'
import { isAllowed, type Permission, type SessionUser } from '@/lib/identity'
import { refused, type Result } from '@/lib/kit'
import { type KnownRefusal, REFUSALS, sayRefusal } from './errors'
import { loggedPath, reportFault } from './faults'
import { currentSession } from './session'

/** The most that anyone may send to a route. A callback is under two kilobytes; this leaves room and stops floods. */
export const BODY_BYTES_MAX = 64 * 1024

/**
 * How long a body may take to arrive. Vendors send theirs in one piece; a body that drips keeps a connection and a place in memory, and the server's own
 * limit is minutes.
 */
export const BODY_MS_MAX = 10_000

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
type Params = Record<string, string>
type NextContext = { params: Promise<Record<string, string | string[] | undefined>> }
/** What Next takes as a route: exported under the name of its method. Methods that are not exported are answered 405 by Next. */
export type Route = (request: Request, context: NextContext) => Promise<Response>

type Answer = Response | Result<Json, KnownRefusal>
export type RouteInput = { request: Request; params: Params; readBody: () => Promise<Buffer> }

/** A route for anybody. A value is answered as JSON, a refusal as a problem (RFC 9457) with its status. */
export function publicRoute(work: (input: RouteInput) => Promise<Answer>): Route {
  return route(work)
}

/** A route for whoever is signed in; others get 401. What changes something must come from our own pages. */
export function userRoute(work: (input: RouteInput & { user: SessionUser }) => Promise<Answer>): Route {
  return route(async (input) => {
    const session = await currentSession()
    if (!session) return refused('sign_in_needed')
    if (isForeign(input.request)) return refused('foreign_origin')
    return work({ ...input, user: session.user })
  })
}

/** A route for staff who may do this. */
export function adminRoute(
  permission: Permission,
  work: (input: RouteInput & { user: SessionUser }) => Promise<Answer>,
): Route {
  return userRoute(async (input) => (isAllowed(input.user.role, permission) ? work(input) : refused('not_allowed')))
}

/**
 * A route for callbacks from outside: the body as the bytes that were sent (signatures are over bytes), bounded, and never a redirect or a session.
 * Export it as POST only.
 */
export function webhookRoute(
  work: (input: { body: Buffer; headers: Headers; params: Params }) => Promise<Answer>,
): Route {
  return route(async ({ request, params, readBody }) =>
    work({ body: await readBody(), headers: request.headers, params }),
  )
}

class RefusedRequest extends Error {
  readonly refusal: KnownRefusal
  constructor(refusal: KnownRefusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

function route(work: (input: RouteInput) => Promise<Answer>): Route {
  return async (request, context) => {
    try {
      const params: Params = {}
      for (const [name, value] of Object.entries((await context?.params) ?? {}))
        params[name] = Array.isArray(value) ? value.join('/') : (value ?? '')
      const answer = await work({ request, params, readBody: () => readBody(request) })
      if (answer instanceof Response) return answer
      return answer.ok ? Response.json(answer.value, { headers: NO_STORE }) : problem(answer.refusal)
    } catch (error) {
      if (error instanceof RefusedRequest) return problem(error.refusal)
      const reference = reportFault(`${request.method} ${loggedPath(new URL(request.url).pathname)}`, error)
      return problemResponse(500, { title: 'A fault on our side. It is logged under the reference.', reference })
    }
  }
}

const NO_STORE = { 'Cache-Control': 'no-store' }

/** A refusal as a problem document. Machines read `code`; the sentence is in English. */
export function problem(refusal: KnownRefusal): Response {
  const { seconds } = refusal.facts
  return problemResponse(
    REFUSALS[refusal.code].status,
    { title: sayRefusal(refusal, 'en'), code: refusal.code },
    typeof seconds === 'number' ? { 'Retry-After': String(seconds) } : {},
  )
}

function problemResponse(
  status: number,
  members: Record<string, string>,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify({ type: 'about:blank', status, ...members }), {
    status,
    headers: { ...NO_STORE, 'Content-Type': 'application/problem+json', ...headers },
  })
}

/** Reads at most BODY_BYTES_MAX bytes and stops there, whatever the length header claims. */
async function readBody(request: Request): Promise<Buffer> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_BYTES_MAX) throw tooLarge()
  const parts: Uint8Array[] = []
  let length = 0
  const reader = request.body?.getReader()
  let isTooSlow = false
  // Cancelling ends the read that waits, so nothing is left behind.
  const timer = setTimeout(() => {
    isTooSlow = true
    void reader?.cancel().catch(() => undefined)
  }, BODY_MS_MAX)
  try {
    while (reader) {
      const { done, value } = await reader.read().catch(() => {
        // The sender hung up or broke its own framing.
        throw new RefusedRequest({ code: 'body_unreadable', facts: {} })
      })
      if (isTooSlow) throw new RefusedRequest({ code: 'body_too_slow', facts: {} })
      if (done) break
      length += value.length
      if (length > BODY_BYTES_MAX) {
        await reader.cancel()
        throw tooLarge()
      }
      parts.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(parts)
}

function tooLarge(): RefusedRequest {
  return new RefusedRequest({ code: 'body_too_large', facts: { maximum: BODY_BYTES_MAX } })
}

/** Whether a request that changes something comes from another site's page. Browsers send Origin with every such request. */
function isForeign(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false
  return request.headers.get('origin') !== new URL(env().PUBLIC_URL).origin
}
