import { getTranslations } from 'next-intl/server'
import { AccountField } from '@/components/admin/account-field'
import { ActionForm } from '@/components/ui/action-form'
import { CheckboxField, TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import type { ProviderView } from '@/lib/payments'
import type { FormAction } from '@/lib/web'

/** The settings of one way to pay. Of a stored secret nothing is in the page but how it ends. */
export async function ProviderForm({ provider, action }: { provider: ProviderView; action: FormAction }) {
  const say = await getTranslations('adminSettings')
  const currency = env().SHOP_CURRENCY
  const amount = (micros: bigint | null) => (micros === null ? '' : amountText(micros))
  return (
    <ActionForm action={action} className="flex flex-col gap-6">
      <input type="hidden" name="provider" value={provider.name} />
      <fieldset className="flex flex-col gap-4">
        <legend className="mb-3 font-semibold">{say('keys')}</legend>
        {provider.fields.map((field) => (
          <AccountField key={field.name} field={field} words="adminSettings" />
        ))}
      </fieldset>
      <fieldset className="grid gap-4 sm:grid-cols-2">
        <legend className="mb-3 font-semibold">{say('terms')}</legend>
        <TextField
          name="minMicros"
          label={say('minMicros', { currency })}
          help={say('limitHelp')}
          defaultValue={amount(provider.minMicros)}
          inputMode="decimal"
          autoComplete="off"
        />
        <TextField
          name="maxMicros"
          label={say('maxMicros', { currency })}
          help={say('limitHelp')}
          defaultValue={amount(provider.maxMicros)}
          inputMode="decimal"
          autoComplete="off"
        />
        <TextField
          name="chargeCurrency"
          label={say('chargeCurrency')}
          help={say('chargeCurrencyHelp', { currency })}
          defaultValue={provider.chargeCurrency ?? ''}
          maxLength={3}
          autoComplete="off"
        />
        <TextField
          name="chargeRate"
          label={say('chargeRate')}
          help={say('chargeRateHelp', { currency })}
          defaultValue={provider.chargeRate ?? ''}
          inputMode="decimal"
          autoComplete="off"
        />
        <TextField
          name="tolerance"
          label={say('tolerance')}
          help={say('toleranceHelp')}
          defaultValue={percentText(provider.toleranceBasisPoints)}
          inputMode="decimal"
          autoComplete="off"
        />
      </fieldset>
      <CheckboxField name="isEnabled" label={say('isEnabled')} defaultChecked={provider.isEnabled} />
      <SubmitButton className="self-start">{say('save')}</SubmitButton>
    </ActionForm>
  )
}

function percentText(basisPoints: number): string {
  return basisPoints === 0 ? '' : amountText(BigInt(basisPoints) * 10_000n).replace(/\.00$/, '')
}
