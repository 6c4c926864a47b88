'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  createBatch,
  makeBatchSchema,
  savePromotion,
  savePromotionSchema,
  switchPromotion,
  withdrawBatch,
} from '@/lib/promotions'
import { adminAction } from '@/lib/web'

export const savePromotionAction = adminAction(
  'promotions.write',
  savePromotionSchema,
  async (input, { user, locale }) => {
    const saved = await savePromotion({ kind: 'staff', id: user.id }, input)
    if (!saved.ok) return saved
    if (!input.promotionId) redirect(`/admin/promotions/${saved.value.promotionId}`)
    revalidatePath('/admin/promotions', 'layout')
    return accepted({
      message: translator(locale, 'promotions')('saved'),
      facts: { revision: saved.value.revision },
    })
  },
)

const switchSchema = z.object({ promotionId: z.string().max(60), to: z.enum(['on', 'off']) })

export const switchPromotionAction = adminAction(
  'promotions.write',
  switchSchema,
  async ({ promotionId, to }, { user, locale }) => {
    const switched = await switchPromotion({ kind: 'staff', id: user.id }, { promotionId, isActive: to === 'on' })
    if (!switched.ok) return switched
    revalidatePath('/admin/promotions', 'layout')
    return accepted({ message: translator(locale, 'promotions')(to === 'on' ? 'switchedOn' : 'switchedOff') })
  },
)

export const createBatchAction = adminAction('promotions.write', makeBatchSchema, async (input, { user }) => {
  const { batchId } = await createBatch({ kind: 'staff', id: user.id }, input)
  redirect(`/admin/promotions/batches/${batchId}`)
})

export const withdrawBatchAction = adminAction(
  'promotions.write',
  z.object({ batchId: z.string().max(60) }),
  async (input, { user, locale }) => {
    const withdrawn = await withdrawBatch({ kind: 'staff', id: user.id }, input)
    if (!withdrawn.ok) return withdrawn
    revalidatePath('/admin/promotions', 'layout')
    const { unused } = withdrawn.value
    return accepted({ message: translator(locale, 'promotions')('batchWithdrawn', { unused }) })
  },
)
