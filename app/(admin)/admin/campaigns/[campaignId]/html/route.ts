import { renderCampaignPreview } from '@/emails/preview'
import { LOCALES } from '@/i18n/locales'
import { translator } from '@/i18n/translator'
import { refused } from '@/lib/kit'
import { findCampaign } from '@/lib/marketing'
import { adminRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** A campaign's mail for the frame of its preview. Its headers (proxy.ts) let it run nothing, load nothing and be framed by our own pages only. */
export const GET = adminRoute('marketing.write', async ({ request, params }) => {
  const campaign = await findCampaign(params.campaignId ?? '')
  if (!campaign) return refused('not_found')
  const query = new URL(request.url).searchParams
  const locale = LOCALES.find((each) => each === query.get('locale')) ?? 'en'
  const [subject, body] =
    locale === 'ru' ? [campaign.subjectRu, campaign.bodyRu] : [campaign.subjectEn, campaign.bodyEn]
  const { html } = await renderCampaignPreview(
    { subject, body, topic: campaign.topic },
    {
      locale,
      scheme: query.get('scheme') === 'dark' ? 'dark' : 'light',
      name: translator(locale, 'campaigns')('sampleName'),
    },
  )
  return new Response(html, {
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' },
  })
})
