import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { ReferralTabs, SETTLEMENT_TONES } from '@/components/referrals/referral-words'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { SelectField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { RequestKey } from '@/components/ui/request-key'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { formatMoney, newId } from '@/lib/kit'
import { getReferralOverview, listSettlements, referralProgramme, type SettlementView } from '@/lib/referrals'
import { requireUser } from '@/lib/web'
import { requestPayoutAction, withdrawPayoutAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('referrals'))('tabPayouts') }
}

export default async function PayoutsPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, locale, overview, page, programme] = await Promise.all([
    getTranslations('referrals'),
    getLocale(),
    getReferralOverview({ userId: user.id }),
    listSettlements({ userId: user.id, before }),
    referralProgramme.read(),
  ])
  const { availableMicros, currency } = overview
  const money = (micros: bigint) => formatMoney(micros, currency, locale)
  const methods = programme.payoutMethods
  const where = (each: SettlementView) =>
    each.kind === 'move'
      ? say('toBalance')
      : `${methods.find(({ id }) => id === each.method)?.label ?? each.method} ${each.destinationHint}`
  return (
    <>
      <PageHeader title={say('tabPayouts')} lead={say('payoutsLead')} />
      <ReferralTabs />
      <div className="flex flex-col gap-6">
        {methods.length > 0 && (
          <Card title={say('payoutTitle', { amount: money(availableMicros) })} lead={say('payoutLead')}>
            {availableMicros === 0n ? (
              <p className="text-muted">{say('nothingYet')}</p>
            ) : (
              <ActionForm action={requestPayoutAction} className="flex max-w-xl flex-col gap-4">
                <RequestKey value={newId('req')} />
                <SelectField name="method" label={say('method')}>
                  {methods.map((method) => (
                    <option key={method.id} value={method.id}>
                      {method.minimumMicros > 0n
                        ? say('methodFrom', { label: method.label, minimum: money(method.minimumMicros) })
                        : method.label}
                    </option>
                  ))}
                </SelectField>
                <TextField
                  name="destination"
                  label={say('destination')}
                  help={say('destinationHelp')}
                  maxLength={200}
                  autoComplete="off"
                  spellCheck={false}
                  className="font-mono"
                  required
                />
                <SubmitButton className="self-start">
                  {say('payoutAsk', { amount: money(availableMicros) })}
                </SubmitButton>
              </ActionForm>
            )}
          </Card>
        )}
        <DataTable
          caption={say('tabPayouts')}
          rows={page.rows}
          rowKey={(each) => each.id}
          columns={[
            { key: 'at', head: say('when'), cell: (each) => <RelativeTime at={each.createdAt} /> },
            { key: 'to', head: say('where'), cell: (each) => <span className="break-all">{where(each)}</span> },
            {
              key: 'state',
              head: say('state'),
              cell: (each) => (
                <span className="flex flex-col items-start gap-2 max-sm:items-end">
                  <Status tone={SETTLEMENT_TONES[each.state]}>{say(`settlement_${each.state}`)}</Status>
                  {each.reference && <span className="text-xs break-all text-muted">{each.reference}</span>}
                  {each.reason && (
                    <span className="text-xs text-muted">
                      {each.reason === 'reverted' ? say('payoutReverted') : each.reason}
                    </span>
                  )}
                  {each.state === 'requested' && (
                    <ActionForm action={withdrawPayoutAction}>
                      <input type="hidden" name="settlementId" value={each.id} />
                      <SubmitButton variant="quiet" size="sm">
                        {say('withdraw')}
                      </SubmitButton>
                    </ActionForm>
                  )}
                </span>
              ),
            },
            {
              key: 'amount',
              head: say('amount'),
              isNumber: true,
              cell: (each) => <Money micros={each.amountMicros} currency={each.currency} className="font-medium" />,
            },
          ]}
          empty={<EmptyState title={say('payoutsEmpty')}>{say('payoutsEmptyText')}</EmptyState>}
        />
        <Pagination path="/account/referrals/payouts" before={before} nextBefore={page.nextBefore} />
      </div>
    </>
  )
}
