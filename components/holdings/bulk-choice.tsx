import { getTranslations } from 'next-intl/server'
import { Input, Label, Select } from '@/components/ui/input'
import type { BulkName } from '@/lib/holdings'
import { REPLACE_REASONS } from '@/lib/remedies'

/** What has to be chosen for an action, as fields of the preview's form. */
export async function BulkChoice({
  action,
  typed,
  periods,
}: {
  action: Exclude<BulkName, 'give-back' | 'rotate'>
  typed: Record<string, string>
  periods: number[]
}) {
  const [say, common] = await Promise.all([getTranslations('proxies'), getTranslations('common')])
  const chosen = Number(typed.days)
  const all = chosen > 0 && !periods.includes(chosen) ? [...periods, chosen].sort((a, b) => a - b) : periods
  switch (action) {
    case 'renew':
      return (
        <Field name="days" label={say('period')}>
          <Select id="choice-days" name="days" defaultValue={typed.days ?? ''}>
            <option value="">{say('ownPeriod')}</option>
            {all.map((days) => (
              <option key={days} value={days}>
                {common('days', { count: days })}
              </option>
            ))}
          </Select>
        </Field>
      )
    case 'replace':
      return (
        <Field name="reason" label={say('reason')}>
          <Select id="choice-reason" name="reason" defaultValue={typed.reason ?? 'dead'}>
            {REPLACE_REASONS.map((reason) => (
              <option key={reason} value={reason}>
                {say(`reason_${reason}`)}
              </option>
            ))}
          </Select>
        </Field>
      )
    case 'bind':
      return (
        <Field name="addresses" label={say('addresses')}>
          <Input
            id="choice-addresses"
            name="addresses"
            defaultValue={typed.addresses}
            maxLength={500}
            placeholder="8.8.4.4"
            autoComplete="off"
          />
        </Field>
      )
    case 'retag':
      return (
        <>
          <Field name="add" label={say('addTags')}>
            <Input id="choice-add" name="add" defaultValue={typed.add} maxLength={2000} placeholder={say('tagsHint')} />
          </Field>
          <Field name="remove" label={say('removeTags')}>
            <Input id="choice-remove" name="remove" defaultValue={typed.remove} maxLength={2000} />
          </Field>
        </>
      )
  }
}

function Field({ name, label, children }: { name: string; label: string; children: React.ReactNode }) {
  return (
    <div className="flex min-w-0 grow flex-col gap-1 sm:max-w-72">
      <Label htmlFor={`choice-${name}`}>{label}</Label>
      {children}
    </div>
  )
}
