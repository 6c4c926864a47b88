import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { DebtNotice } from '@/components/account/debt-notice'
import { StatementForm } from '@/components/papers/statement-form'
import { StatementTable } from '@/components/account/statement-table'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { getBalance, listStatement } from '@/lib/ledger'
import { requireUser } from '@/lib/web'
import { redeemVoucherAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('statement'))('title') }
}

export default async function BalancePage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const query = await searchParams
  const asked = oneOf(query.before)
  const before = asked && /^\d{1,18}$/.test(asked) ? BigInt(asked) : undefined
  const [say, sayPromotions, balance, statement] = await Promise.all([
    getTranslations('statement'),
    getTranslations('promotions'),
    getBalance({ userId: user.id }),
    listStatement({ userId: user.id, before }),
  ])
  const { currency, balanceMicros, heldMicros } = balance
  const topUp = <ButtonLink href="/account/top-up">{say('topUp')}</ButtonLink>
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say.rich(heldMicros > 0n ? 'leadHeld' : 'lead', {
          balance: () => <Money micros={balanceMicros} currency={currency} className="font-semibold text-text" />,
          held: () => <Money micros={heldMicros} currency={currency} />,
        })}
        action={
          <>
            <ButtonLink href="/account/payments" variant="secondary">
              {say('payments')}
            </ButtonLink>
            {topUp}
          </>
        }
      />
      {balance.giftMicros > 0n && (
        <p className="mb-4 text-muted">
          {say.rich('gifts', { gift: () => <Money micros={balance.giftMicros} currency={currency} /> })}
        </p>
      )}
      <DebtNotice owedMicros={balance.owedMicros} currency={currency} />
      <StatementTable
        lines={statement.lines}
        currency={currency}
        empty={<EmptyState title={say('emptyTitle')}>{say('emptyText')}</EmptyState>}
      />
      <Pagination path="/account/balance" before={asked} nextBefore={statement.nextBefore?.toString() ?? null} />
      <Card className="mt-6 max-w-xl" title={sayPromotions('redeemTitle')} lead={sayPromotions('redeemLead')}>
        <ActionForm action={redeemVoucherAction} className="flex flex-col gap-4">
          <TextField
            name="voucherCode"
            label={sayPromotions('voucherCode')}
            help={sayPromotions('voucherHelp')}
            maxLength={200}
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
            required
          />
          <SubmitButton variant="secondary" className="self-start">
            {sayPromotions('redeem')}
          </SubmitButton>
        </ActionForm>
      </Card>
      <StatementForm
        asked={{
          from: oneOf(query.from),
          to: oneOf(query.to),
          format: oneOf(query.format),
          refused: oneOf(query.refused),
        }}
      />
    </>
  )
}
