'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { paperSeller, paperTax, sellerSchema, taxTextSchema } from '@/lib/papers'
import { adminAction } from '@/lib/web'

export const saveSellerAction = adminAction('settings.write', sellerSchema, async (input, { actor, locale }) => {
  await paperSeller.save(actor, input)
  revalidatePath('/admin/settings/papers')
  return accepted({ message: translator(locale, 'papers')('sellerSaved') })
})

export const saveTaxAction = adminAction('settings.write', taxTextSchema, async ({ rates }, { actor, locale }) => {
  await paperTax.save(actor, { rates })
  revalidatePath('/admin/settings/papers')
  return accepted({ message: translator(locale, 'papers')('taxSaved', { count: rates.length }) })
})
