import { isTemplate, renderPreview } from '@/emails/preview'
import { LOCALES } from '@/i18n/locales'
import { refused } from '@/lib/kit'
import { adminRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** A mail with sample data, for the frame of its preview. Its headers (proxy.ts) let it run nothing, load nothing and be framed by our own pages only. */
export const GET = adminRoute('mail.read', async ({ request, params }) => {
  const template = params.template ?? ''
  if (!isTemplate(template)) return refused('not_found')
  const query = new URL(request.url).searchParams
  const locale = LOCALES.find((each) => each === query.get('locale')) ?? 'en'
  const { html } = await renderPreview(template, { locale, scheme: query.get('scheme') === 'dark' ? 'dark' : 'light' })
  return new Response(html, {
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  })
})
