import { getNow, getTranslations } from 'next-intl/server'
import { buttonStyles } from '@/components/ui/button-styles'
import { Card } from '@/components/ui/card'
import { INPUT_STYLES } from '@/components/ui/input-styles'

/** Asks for a statement: a plain form that opens an address, so it works without script. It begins with the present month in UTC. */
export async function StatementForm() {
  const [say, now] = await Promise.all([getTranslations('papers'), getNow()])
  const today = now.toISOString().slice(0, 10)
  const field = (name: 'from' | 'to', value: string) => (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={`statement-${name}`} className="text-sm font-medium">
        {say(name)}
      </label>
      <input
        id={`statement-${name}`}
        name={name}
        type="date"
        defaultValue={value}
        min="2000-01-01"
        required
        className={INPUT_STYLES}
      />
    </div>
  )
  return (
    <Card title={say('downloadTitle')} lead={say('downloadLead')} className="mt-8">
      <form action="/account/balance/statement" method="get" className="flex flex-wrap items-end gap-4">
        {field('from', `${today.slice(0, 8)}01`)}
        {field('to', today)}
        <div className="flex flex-col gap-1.5">
          <label htmlFor="statement-format" className="text-sm font-medium">
            {say('format')}
          </label>
          <select id="statement-format" name="format" defaultValue="csv" className={INPUT_STYLES}>
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
