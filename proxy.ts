import { randomBytes } from 'node:crypto'
import { type NextRequest, NextResponse } from 'next/server'
import { env, isDevelopmentServer } from '@/lib/env'
import { log } from '@/lib/log'
import { paymentOrigins } from '@/lib/payments'

/**
 * Next's hook before every page (its name is Next's; nothing here is a proxy that we sell). It sets the security headers and tells the pages which
 * path was asked for. It authorises nothing: pages, actions and routes do that themselves.
 */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  if (!isReadable(request.nextUrl)) return refuse(400, 'The address holds characters that mean nothing.')
  if (isForeign(request) && !isOneClick(request)) return refuse(403, 'The form was sent from a page of another site.')
  const nonce = randomBytes(16).toString('base64')
  const isMail = isMailPreview(request.nextUrl.pathname)
  const policy = isMail ? MAIL_POLICY : contentPolicy(nonce, await formTargets())
  const headers = new Headers(request.headers)
  headers.set('x-nonce', nonce)
  headers.set('content-security-policy', policy)
  headers.set('x-sluice-path', `${request.nextUrl.pathname}${request.nextUrl.search}`)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('Content-Security-Policy', policy)
  response.headers.set('X-Content-Type-Options', 'nosniff')
  // Links in mails carry secrets in their query; the next site must not learn them.
  response.headers.set('Referrer-Policy', hasTokenInPath(request.nextUrl.pathname) ? 'no-referrer' : 'same-origin')
  response.headers.set('X-Frame-Options', isMail ? 'SAMEORIGIN' : 'DENY')
  response.headers.set('Cross-Origin-Opener-Policy', 'same-origin')
  response.headers.set('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=()')
  if (env().PUBLIC_URL.startsWith('https://'))
    response.headers.set('Strict-Transport-Security', 'max-age=63072000; includeSubDomains')
  return response
}

/** Feeds, calendars and the links of campaigns carry their secret in the path: not even a page of ours learns it from a browser that has one open. */
function hasTokenInPath(pathname: string): boolean {
  return /^\/api\/(feeds|calendar|campaign-links|campaign-opens)\//.test(pathname)
}

/** A mail program's one click (RFC 8058): it may come from the page of any mail service, and the token in its address alone decides. */
function isOneClick({ nextUrl }: NextRequest): boolean {
  return nextUrl.pathname === '/api/unsubscribe'
}

/** A mail as staff preview it: a page of its own, shown in a frame of ours. */
function isMailPreview(pathname: string): boolean {
  return /^\/admin\/(mail\/previews|campaigns)\/[^/]+\/html$/.test(pathname)
}

/** A mail carries its styles on its elements and has nothing else; here it can neither run nor load nor send anything. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"

/** Whether the address can be decoded and holds no zero byte, which no id, name or search has and PostgreSQL cannot take. */
function isReadable({ pathname, search }: { pathname: string; search: string }): boolean {
  try {
    return !decodeURIComponent(pathname).includes('\0') && !/%00/.test(search)
  } catch {
    return false
  }
}

/**
 * Whether something that changes data comes from another site's page: its Origin is neither the shop's nor the host that was asked. A header
 * that says the host was another one (`X-Forwarded-Host`) is not asked. Machines send no Origin; what they may do is theirs to prove.
 */
function isForeign({ method, headers }: NextRequest): boolean {
  const origin = headers.get('origin')
  if (origin === null || method === 'GET' || method === 'HEAD') return false
  if (origin === new URL(env().PUBLIC_URL).origin) return false
  return !URL.canParse(origin) || new URL(origin).host !== headers.get('host')
}

function refuse(status: number, sentence: string): NextResponse {
  return new NextResponse(sentence, {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    },
  })
}

/**
 * Only our own files, and of scripts only those with this answer's nonce and what they load. The development server needs eval and inline styles;
 * the built shop does not.
 */
function contentPolicy(nonce: string, formOrigins: readonly string[]): string {
  const isDevelopment = isDevelopmentServer()
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDevelopment ? " 'unsafe-eval'" : ''}`,
    isDevelopment ? "style-src 'self' 'unsafe-inline'" : `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    `form-action 'self' ${formOrigins.join(' ')}`.trim(),
    "frame-ancestors 'none'",
  ].join('; ')
}

/**
 * Where a form of ours may end: on the page of a payment provider that is offered. Without script the browser follows the answer to the top-up
 * form there by itself, and it counts that as sending the form. While the database does not answer, nowhere else.
 */
async function formTargets(): Promise<readonly string[]> {
  try {
    return await paymentOrigins()
  } catch (error) {
    log('web').warn({ error }, 'the payment pages that forms may lead to are not known')
    return []
  }
}

export const config = { matcher: ['/((?!_next/static|_next/image|favicon.ico|icon.svg).*)'] }
