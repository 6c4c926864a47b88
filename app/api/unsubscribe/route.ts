import { unsubscribe } from '@/lib/marketing'
import { refused } from '@/lib/kit'
import { publicRoute, visitOf } from '@/lib/web'

export const dynamic = 'force-dynamic'

const tokenOf = (request: Request) => new URL(request.url).searchParams.get('token') ?? ''

/** Mail scanners open links: a GET changes nothing and leads to the page where people choose. */
export const GET = publicRoute(
  async ({ request }) =>
    new Response(null, {
      status: 303,
      headers: { Location: `/preferences?token=${encodeURIComponent(tokenOf(request))}`, 'Cache-Control': 'no-store' },
    }),
)

/**
 * One-click unsubscribe (RFC 8058): a mail program posts `List-Unsubscribe=One-Click` to the address in the mail's header. The token alone decides: no session, no origin. 200 each
 * time; 410 for a token that is not ours, 400 for another body, 429 with Retry-After for the same link thirty times an hour.
 */
export const POST = publicRoute(async ({ request, readBody }) => {
  if (!(await saysOneClick(request, await readBody()))) return refused('malformed')
  const result = await unsubscribe(tokenOf(request), visitOf(request.headers))
  if (!result.ok) return result
  return Response.json({ message: 'You get no marketing any more.' }, { headers: { 'Cache-Control': 'no-store' } })
})

/** The body as either kind of form that the RFC allows. */
async function saysOneClick(request: Request, body: Buffer): Promise<boolean> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) return false
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => null)
  return form?.get('List-Unsubscribe') === 'One-Click'
}
