import { getTranslations } from 'next-intl/server'
import { AccountField } from '@/components/admin/account-field'
import { ActionForm } from '@/components/ui/action-form'
import { CheckboxField, TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import type { SupplierView } from '@/lib/provisioning'
import type { FormAction } from '@/lib/web'

/** Our account at one supplier. Of a stored secret nothing is in the page but how it ends. */
export async function SupplierForm({ supplier, action }: { supplier: SupplierView; action: FormAction }) {
  const say = await getTranslations('adminSuppliers')
  const currency = env().SHOP_CURRENCY
  return (
    <ActionForm action={action} className="flex flex-col gap-6">
      <input type="hidden" name="supplier" value={supplier.name} />
      <fieldset className="flex flex-col gap-4">
        <legend className="mb-3 font-semibold">{say('keys')}</legend>
        {supplier.fields.map((field) => (
          <AccountField key={field.name} field={field} words="adminSuppliers" />
        ))}
      </fieldset>
      <fieldset className="grid gap-4 sm:grid-cols-2">
        <legend className="mb-3 font-semibold">{say('terms')}</legend>
        <TextField
          name="costCurrency"
          label={say('costCurrency')}
          help={say('costCurrencyHelp', { currency })}
          defaultValue={supplier.costCurrency ?? ''}
          maxLength={3}
          autoComplete="off"
        />
        <TextField
          name="costRate"
          label={say('costRate')}
          help={say('costRateHelp', { currency })}
          defaultValue={supplier.costRate ?? ''}
          inputMode="decimal"
          autoComplete="off"
        />
      </fieldset>
      <CheckboxField name="isEnabled" label={say('isEnabled')} defaultChecked={supplier.isEnabled} />
      <SubmitButton className="self-start">{say('save')}</SubmitButton>
    </ActionForm>
  )
}
