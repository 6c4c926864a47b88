'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  campaignIdSchema,
  moveCampaign,
  moveSchema,
  saveCampaign,
  saveCampaignSchema,
  scheduleCampaign,
  scheduleSchema,
  sendCampaignTest,
  startCampaign,
  startSchema,
  withdrawFor,
  withdrawSchema,
} from '@/lib/marketing'
import { adminAction } from '@/lib/web'

export const saveCampaignAction = adminAction(
  'marketing.write',
  saveCampaignSchema,
  async (input, { user, locale }) => {
    const saved = await saveCampaign({ kind: 'staff', id: user.id }, input)
    if (!saved.ok) return saved
    if (!input.campaignId) redirect(`/admin/campaigns/${saved.value.campaignId}`)
    revalidatePath('/admin/campaigns', 'layout')
    return accepted({
      message: translator(locale, 'campaigns')('saved'),
      facts: { revision: saved.value.revision },
    })
  },
)

export const testCampaignAction = adminAction('marketing.write', campaignIdSchema, async (input, { user, locale }) => {
  const sent = await sendCampaignTest({ kind: 'staff', id: user.id }, { campaignId: input.campaignId, person: user })
  if (!sent.ok) return sent
  const { channel } = sent.value
  return accepted({ message: translator(locale, 'campaigns')(channel === 'mail' ? 'tested' : 'testedTelegram') })
})

export const startCampaignAction = adminAction('marketing.write', startSchema, async (input, { user, locale }) => {
  const started = await startCampaign({ kind: 'staff', id: user.id }, input)
  if (!started.ok) return started
  revalidatePath('/admin/campaigns', 'layout')
  return accepted({ message: translator(locale, 'campaigns')('started') })
})

export const scheduleCampaignAction = adminAction(
  'marketing.write',
  scheduleSchema,
  async (input, { user, locale }) => {
    const planned = await scheduleCampaign({ kind: 'staff', id: user.id }, input)
    if (!planned.ok) return planned
    revalidatePath('/admin/campaigns', 'layout')
    return accepted({ message: translator(locale, 'campaigns')('scheduled') })
  },
)

const MOVED = { pause: 'paused', resume: 'resumed', cancel: 'cancelled', unschedule: 'unscheduled' } as const

export const moveCampaignAction = adminAction('marketing.write', moveSchema, async (input, { user, locale }) => {
  const moved = await moveCampaign({ kind: 'staff', id: user.id }, input)
  if (!moved.ok) return moved
  revalidatePath('/admin/campaigns', 'layout')
  return accepted({ message: translator(locale, 'campaigns')(MOVED[input.to]) })
})

export const withdrawAction = adminAction('marketing.withdraw', withdrawSchema, async (input, { user, locale }) => {
  const withdrawn = await withdrawFor({ kind: 'staff', id: user.id }, input.userId)
  if (!withdrawn.ok) return withdrawn
  revalidatePath('/admin', 'layout')
  return accepted({ message: translator(locale, 'marketing')('withdrawn') })
})
