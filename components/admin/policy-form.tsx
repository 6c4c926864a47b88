import { getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { SelectField, TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import type { Policy } from '@/lib/catalog'
import type { FormAction } from '@/lib/web'

/** Rows to fill beyond those that are there. */
const SPARE_ROWS = 2
const ROWS_MAX = 10

/** A product's policy as a form: its rows with two empty ones, saved as a new version. */
export async function PolicyForm({
  productId,
  version,
  rules,
  action,
}: {
  productId: string
  version: number
  rules: Policy
  action: FormAction
}) {
  const say = await getTranslations('policy')
  const rows = Array.from(
    { length: Math.min(ROWS_MAX, rules.rows.length + SPARE_ROWS) },
    (_, index) => rules.rows[index],
  )
  return (
    <ActionForm action={action} className="flex flex-col gap-4">
      <input type="hidden" name="productId" value={productId} />
      <input type="hidden" name="version" value={version} />
      {rows.map((row, index) => (
        <fieldset key={index} className="grid gap-3 border-t pt-4 sm:grid-cols-3">
          <legend className="pr-2 text-sm font-semibold">{say('row', { number: index + 1 })}</legend>
          <SelectField name={`rows.${index}.when`} label={say('when')} defaultValue={row?.when ?? ''}>
            <option value="">{say('none')}</option>
            <option value="dead">{say('option_dead')}</option>
            <option value="unused">{say('option_unused')}</option>
            <option value="any">{say('option_any')}</option>
          </SelectField>
          <TextField
            name={`rows.${index}.withinHours`}
            label={say('withinHours')}
            help={say('withinHoursHelp')}
            inputMode="numeric"
            defaultValue={row?.withinHours ?? ''}
          />
          <TextField
            name={`rows.${index}.maxTrafficPercent`}
            label={say('maxTrafficPercent')}
            inputMode="numeric"
            defaultValue={row?.maxTrafficPercent ?? ''}
          />
          <SelectField name={`rows.${index}.remedy`} label={say('remedy')} defaultValue={row?.remedy ?? 'replace'}>
            <option value="replace">{say('remedy_replace')}</option>
            <option value="refund">{say('remedy_refund')}</option>
          </SelectField>
          <TextField
            name={`rows.${index}.refundPercent`}
            label={say('refundPercent')}
            help={say('refundPercentHelp')}
            inputMode="numeric"
            defaultValue={row?.refundPercent ?? '100'}
          />
          <SelectField name={`rows.${index}.of`} label={say('of')} defaultValue={row?.of ?? 'paid'}>
            <option value="paid">{say('of_paid')}</option>
            <option value="remaining">{say('of_remaining')}</option>
          </SelectField>
        </fieldset>
      ))}
      <div className="grid gap-3 border-t pt-4 sm:grid-cols-2">
        <TextField
          name="replacementsPerProxy"
          label={say('replacementsPerProxy')}
          inputMode="numeric"
          defaultValue={rules.replacementsPerProxy}
        />
        <TextField
          name="downtimeHours"
          label={say('downtimeHours')}
          help={say('downtimeHoursHelp')}
          inputMode="numeric"
          defaultValue={rules.downtimeHours ?? ''}
        />
      </div>
      <SubmitButton className="self-start">{say('save')}</SubmitButton>
    </ActionForm>
  )
}
