'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  askRenewal,
  askSupplier,
  decideDelivery,
  decideDeliverySchema,
  decideRenewalRun,
  decideRenewalRunSchema,
  deliveryIdSchema,
  renewalIdSchema,
} from '@/lib/provisioning'
import { settleLateExchange, settleLateExchangeSchema } from '@/lib/remedies'
import { adminAction } from '@/lib/web'

export const askSupplierAction = adminAction('suppliers.write', deliveryIdSchema, async (input, { actor, locale }) => {
  const result = await askSupplier(actor, input)
  if (!result.ok) return result
  if (result.value === 'found') revalidatePath('/admin', 'layout')
  return accepted({
    message: translator(locale, 'adminSuppliers')(result.value === 'found' ? 'askFound' : 'askNothing'),
  })
})

export const decideDeliveryAction = adminAction(
  'suppliers.write',
  decideDeliverySchema,
  async (input, { actor, locale }) => {
    const result = await decideDelivery(actor, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')('decided') })
  },
)

export const askRenewalAction = adminAction('suppliers.write', renewalIdSchema, async (input, { actor, locale }) => {
  const result = await askRenewal(actor, input)
  if (!result.ok) return result
  if (result.value) revalidatePath('/admin', 'layout')
  return accepted({ message: translator(locale, 'adminSuppliers')(result.value ? 'askEnded' : 'askOpen') })
})

export const decideRenewalRunAction = adminAction(
  'suppliers.write',
  decideRenewalRunSchema,
  async (input, { actor, locale }) => {
    const result = await decideRenewalRun(actor, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')('decided') })
  },
)

export const settleLateExchangeAction = adminAction(
  'suppliers.write',
  settleLateExchangeSchema,
  async (input, { actor, locale }) => {
    const result = await settleLateExchange(actor, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')('decided') })
  },
)
