import { countClick, findLink, referralCode, referralProgramme } from '@/lib/referrals'
import { currentUser, publicRoute, rememberReferral, safePath } from '@/lib/web'

export const dynamic = 'force-dynamic'

/**
 * A personal link: counts the visit, remembers the code for the chosen days (for nobody who is signed in, nor when the operator wants no cookie), and leads
 * on with the code in the address. A code that leads nowhere leads to the same page without it.
 */
export const GET = publicRoute(async ({ request, params }) => {
  const asked = new URL(request.url).searchParams.get('to')
  const target = new URL(asked ? safePath(asked) : '/sign-up', 'http://shop.invalid')
  const code = referralCode.safeParse(params.code)
  const programme = await referralProgramme.read()
  const link = programme.isOn && code.success ? await findLink(code.data) : null
  if (link && code.success) {
    target.searchParams.set('ref', code.data)
    // What a browser fetches before anybody has clicked is no visit.
    const isPrefetch = /prefetch|prerender/.test(
      request.headers.get('sec-purpose') ?? request.headers.get('purpose') ?? '',
    )
    if (!isPrefetch) {
      await countClick(link.id)
      if (programme.cookieDays > 0 && !(await currentUser())) await rememberReferral(code.data, programme.cookieDays)
    }
  }
  return new Response(null, {
    status: 303,
    headers: { Location: `${target.pathname}${target.search}`, 'Cache-Control': 'no-store' },
  })
})
