'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { offerFormSchema, planFormSchema, policyFormSchema, productFormSchema } from '@/components/admin/catalog-forms'
import { translator } from '@/i18n/translator'
import { saveOffer, savePlan, savePolicy, saveProduct } from '@/lib/catalog'
import { accepted } from '@/lib/kit'
import { adminAction } from '@/lib/web'

export const saveProductAction = adminAction('catalog.write', productFormSchema, async (input, { actor, locale }) => {
  const result = await saveProduct(actor, input)
  if (!result.ok) return result
  if (!input.productId) redirect('/admin/catalogue')
  revalidatePath('/admin/catalogue', 'layout')
  return accepted({ message: translator(locale, 'admin')('productSaved') })
})

export const savePlanAction = adminAction('catalog.write', planFormSchema, async (input, { actor, locale }) => {
  const result = await savePlan(actor, input)
  if (!result.ok) return result
  if (!input.planId) redirect(`/admin/catalogue/plans/${result.value.planId}`)
  revalidatePath('/admin/catalogue', 'layout')
  return accepted({
    message: translator(locale, 'admin')(result.value.isRounded ? 'planSavedRounded' : 'planSaved'),
    facts: { revision: result.value.revision },
  })
})

export const savePolicyAction = adminAction(
  'catalog.write',
  policyFormSchema,
  async (input, { user, actor, locale }) => {
    const { productId, version, ...rules } = input
    const result = await savePolicy({ ...actor, id: user.id }, { productId, version, rules })
    if (!result.ok) return result
    revalidatePath('/admin/catalogue', 'layout')
    return accepted({ message: translator(locale, 'policy')('saved', { version: result.value.version }) })
  },
)

export const saveOfferAction = adminAction('catalog.write', offerFormSchema, async (input, { actor, locale }) => {
  const result = await saveOffer(actor, input)
  if (!result.ok) return result
  revalidatePath('/admin/catalogue', 'layout')
  return accepted({ message: translator(locale, 'admin')('offerSaved') })
})
