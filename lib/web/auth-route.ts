import NextAuth from 'next-auth'
import { NextRequest } from 'next/server'
import { refused } from '@/lib/kit'
import { authOptions } from './auth-options'
import { publicRoute } from './routes'

/**
 * next-auth's own addresses under /api/auth. Of what is sent it gets forms only, and not more than other routes take: it makes a fault of anything else
 * that it cannot read. Log lines are not taken from strangers; and signing in by following a link is what it answers with a fault, too.
 */
export const authRoute = publicRoute(async ({ request, params, readBody }) => {
  const nextauth = params.nextauth?.split('/') ?? []
  if (nextauth[0] === '_log' || (nextauth[0] === 'callback' && request.method === 'GET')) return refused('not_found')
  const body = request.method === 'POST' ? await readBody() : undefined
  if (body?.length && !request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded'))
    return refused('body_unreadable')
  const { url, method, headers } = request
  const form = new NextRequest(url, { method, headers, body: body?.length ? new Uint8Array(body) : undefined })
  return (await NextAuth(form as never, { params: { nextauth } } as never, authOptions())) as Response
})
