import { getNow, getTranslations } from 'next-intl/server'
import { Alert } from '@/components/ui/alert'
import { buttonStyles } from '@/components/ui/button-styles'
import { Card } from '@/components/ui/card'
import { INPUT_STYLES } from '@/components/ui/input-styles'

const REFUSED = ['span_invalid', 'span_too_long', 'too_many_lines'] as const

/**
 * Asks for a statement: a plain form that opens an address, so it works without script. It begins with the present month in UTC; after a refusal with
 * what was asked, and why it cannot be.
 */
export async function StatementForm({
  asked,
}: {
  asked: { from?: string; to?: string; format?: string; refused?: string }
}) {
  const [say, now] = await Promise.all([getTranslations('papers'), getNow()])
  const today = now.toISOString().slice(0, 10)
  const refusal = REFUSED.find((code) => code === asked.refused)
  const field = (name: 'from' | 'to', value: string) => (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={`statement-${name}`} className="text-sm font-medium">
        {say(name)}
      </label>
      <input
        id={`statement-${name}`}
        name={name}
        type="date"
        defaultValue={refusal ? asked[name] : value}
        min="2000-01-01"
        required
        className={INPUT_STYLES}
      />
    </div>
  )
  return (
    <Card id="statement" title={say('downloadTitle')} lead={say('downloadLead')} className="mt-8">
      {refusal && (
        <div className="mb-4">
          <Alert tone="bad">{say(`refused_${refusal}`)}</Alert>
        </div>
      )}
      <form action="/account/balance/statement" method="get" className="flex flex-wrap items-end gap-4">
        {field('from', `${today.slice(0, 8)}01`)}
        {field('to', today)}
        <div className="flex flex-col gap-1.5">
          <label htmlFor="statement-format" className="text-sm font-medium">
            {say('format')}
          </label>
          <select
            id="statement-format"
            name="format"
            defaultValue={refusal && asked.format === 'pdf' ? 'pdf' : 'csv'}
            className={INPUT_STYLES}
          >
            <option value="csv">{say('format_csv')}</option>
            <option value="pdf">{say('format_pdf')}</option>
          </select>
        </div>
        <button type="submit" className={buttonStyles({ variant: 'secondary' })}>
          {say('download')}
        </button>
      </form>
    </Card>
  )
}
