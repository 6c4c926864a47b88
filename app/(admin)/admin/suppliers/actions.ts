'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted, refused } from '@/lib/kit'
import {
  forgetSupplier,
  saveSupplier,
  saveSupplierSchema,
  supplierNameSchema,
  supplyRules,
  supplyRulesSchema,
  testSupplier,
} from '@/lib/provisioning'
import { adminAction } from '@/lib/web'

export const saveSupplierAction = adminAction(
  'suppliers.write',
  saveSupplierSchema,
  async (input, { actor, locale }) => {
    const result = await saveSupplier(actor, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')(result.value.isEnabled ? 'savedOn' : 'savedOff') })
  },
)

/** What the supplier said stands on the page, from the row; only what cannot be asked is said by the form. */
export const testSupplierAction = adminAction('suppliers.write', supplierNameSchema, async (input, { actor }) => {
  const result = await testSupplier(actor, input.supplier)
  // The field that is missing is another form's.
  if (!result.ok) return refused(result.refusal.code)
  revalidatePath('/admin/suppliers', 'layout')
  return accepted(null)
})

export const forgetSupplierAction = adminAction(
  'suppliers.write',
  supplierNameSchema,
  async (input, { actor, locale }) => {
    const result = await forgetSupplier(actor, input.supplier)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')('forgotten') })
  },
)

export const saveSupplyRulesAction = adminAction(
  'suppliers.write',
  supplyRulesSchema,
  async (input, { actor, locale }) => {
    await supplyRules.save(actor, input)
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminSuppliers')('rulesSaved') })
  },
)
