import { getLocale, getTranslations } from 'next-intl/server'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { formatMoney } from '@/lib/kit'

/** What a customer owes because a bank took back money that was spent, and the way out. Nothing for everyone else. */
export async function DebtNotice({ owedMicros, currency }: { owedMicros: bigint; currency: string }) {
  if (owedMicros <= 0n) return null
  const [say, locale] = await Promise.all([getTranslations('payments'), getLocale()])
  return (
    <Alert tone="bad" title={say('owedTitle', { amount: formatMoney(owedMicros, currency, locale) })} className="mb-6">
      <p>{say('owedText')}</p>
      <ButtonLink href="/account/top-up" className="mt-2">
        {say('topUpTitle')}
      </ButtonLink>
    </Alert>
  )
}
