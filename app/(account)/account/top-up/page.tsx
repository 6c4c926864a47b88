import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { sayChoice } from '@/components/orders/order-words'
import { nameProvider } from '@/components/payments/payment-words'
import { ProviderChoice } from '@/components/payments/provider-choice'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { RequestKey } from '@/components/ui/request-key'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { amountText, ceilToCents, formatMoney, isId, MICROS_PER_UNIT, newId, parseAmount } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { findOrderIntent } from '@/lib/orders'
import { enabledProviders, leastTopUpMicros, topUpLimits } from '@/lib/payments'
import { requireUser } from '@/lib/web'
import { startTopUpAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('payments'))('topUpTitle') }
}

/** `?intent=` names a choice that waits for money, and the amount is what it lacks; `?amount=` asks for another one. */
export default async function TopUpPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const { intent: intentId, amount } = await searchParams
  const [say, locale, balance, intent] = await Promise.all([
    getTranslations('payments'),
    getLocale(),
    getBalance({ userId: user.id }),
    findWaitingIntent(user.id, oneOf(intentId)),
  ])
  const { balanceMicros, owedMicros, currency } = balance
  const money = (micros: bigint) => formatMoney(micros, currency, locale)
  const limits = (await enabledProviders()).map((provider) => ({
    name: provider.name,
    charge: provider.terms?.charge,
    ...topUpLimits(provider),
  }))
  const leastMicros = await leastTopUpMicros()
  // What is owed is paid first, so it has to come as well.
  const neededMicros = intent ? intent.totalMicros + owedMicros - balanceMicros : owedMicros - balanceMicros
  const missingMicros = neededMicros > 0n ? neededMicros : 0n
  const wanted = missingMicros > 0n ? ceilToCents(missingMicros) : readAmount(oneOf(amount))
  const amountMicros = wanted === null ? null : wanted > leastMicros ? wanted : leastMicros
  const providers = await Promise.all(
    limits.map(async ({ name, charge, minMicros, maxMicros }) => ({
      value: name,
      ...(await nameProvider(name)),
      limits: `${say('limits', { min: money(minMicros), max: money(maxMicros) })}${
        charge && charge.currency !== currency
          ? `. ${say('chargedIn', { unit: money(MICROS_PER_UNIT), charge: `${charge.rate} ${charge.currency}` })}`
          : ''
      }`,
    })),
  )
  return (
    <>
      <PageHeader
        title={say('topUpTitle')}
        lead={say.rich('topUpLead', { balance: () => <Money micros={balanceMicros} currency={currency} /> })}
      />
      <div className="flex max-w-xl flex-col gap-6">
        {owedMicros > 0n && (
          <Alert tone="warning" title={say('owedTitle', { amount: money(owedMicros) })}>
            {say('owedText')}
          </Alert>
        )}
        {intent && (
          <Alert tone="info" title={say('intentTitle')}>
            <p>{say('intentText', { choice: await sayChoice(intent), total: money(intent.totalMicros) })}</p>
            <p className="mt-1 font-medium">
              {missingMicros > 0n ? say('intentMissing', { missing: money(missingMicros) }) : say('intentCovered')}
            </p>
          </Alert>
        )}
        {providers.length === 0 ? (
          <EmptyState title={say('noProvidersTitle')}>{say('noProvidersText')}</EmptyState>
        ) : (
          <Card>
            <ActionForm action={startTopUpAction} className="flex flex-col gap-5">
              <RequestKey value={newId('req')} />
              {intent && <input type="hidden" name="orderIntentId" value={intent.id} />}
              <TextField
                name="amountMicros"
                label={say('amount', { currency })}
                help={say('amountHelp')}
                defaultValue={amountMicros === null ? '' : amountText(amountMicros)}
                inputMode="decimal"
                autoComplete="off"
                required
              />
              <TextField
                name="promotionCode"
                label={say('promotionCode')}
                help={say('promotionHelp')}
                maxLength={200}
                autoComplete="off"
                spellCheck={false}
                className="max-w-60"
              />
              <ProviderChoice label={say('method')} providers={providers} />
              <SubmitButton size="lg">{say('continue')}</SubmitButton>
              <p className="text-sm text-muted">{say('nextHelp')}</p>
            </ActionForm>
          </Card>
        )}
      </div>
    </>
  )
}

async function findWaitingIntent(userId: string, intentId: string | undefined) {
  if (!intentId || !isId('int', intentId)) return null
  const intent = await findOrderIntent({ userId, intentId })
  return intent?.state === 'waiting' ? intent : null
}

function readAmount(text: string | undefined): bigint | null {
  const micros = text === undefined ? null : parseAmount(text)
  return micros === null || micros === 0n ? null : ceilToCents(micros)
}
