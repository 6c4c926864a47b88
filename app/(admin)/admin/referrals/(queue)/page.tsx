import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { CustomerLink } from '@/components/admin/links'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { isAllowed, listUsernames } from '@/lib/identity'
import { formatMoney } from '@/lib/kit'
import {
  listHeldReferrals,
  listTopReferrers,
  listWaitingPayouts,
  openDestination,
  referralProgramme,
} from '@/lib/referrals'
import { requireAdmin } from '@/lib/web'
import { decidePayoutAction, reviewReferralAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminReferrals'))('title') }
}

const TOP_DAYS = 90

/** What waits for a person about referrals, and who brings most. Where a payout goes is opened only for whoever may decide. */
export default async function AdminReferralsPage() {
  const staff = await requireAdmin('referrals.read')
  const mayDecide = isAllowed(staff.role, 'referrals.decide')
  const [say, locale, payouts, held, top, programme] = await Promise.all([
    getTranslations('adminReferrals'),
    getLocale(),
    listWaitingPayouts(),
    listHeldReferrals(),
    listTopReferrers({ days: TOP_DAYS }),
    referralProgramme.read(),
  ])
  const [names, destinations] = await Promise.all([
    listUsernames([
      ...payouts.map((each) => each.userId),
      ...held.flatMap((each) => [each.userId, each.referrerId, ...each.signals.map(({ withId }) => withId)]),
      ...top.map((each) => each.userId),
    ]),
    Promise.all(payouts.map((payout) => (mayDecide ? openDestination(payout.id) : null))),
  ])
  const methodOf = (id: string) => programme.payoutMethods.find((method) => method.id === id)?.label ?? id
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead')}
        action={
          <span className="flex flex-wrap gap-2">
            <ButtonLink href="/admin/referrals/export" variant="secondary" prefetch={false}>
              {say('export')}
            </ButtonLink>
            {isAllowed(staff.role, 'referrals.rules') && (
              <ButtonLink href="/admin/referrals/rules" variant="secondary">
                {say('rules')}
              </ButtonLink>
            )}
          </span>
        }
      />
      <div className="flex flex-col gap-6">
        <Card title={say('payoutsTitle')} lead={say('payoutsLead')}>
          {payouts.length === 0 && <p className="text-muted">{say('payoutsEmpty')}</p>}
          <ul className="flex flex-col divide-y">
            {payouts.map((payout, index) => (
              <li key={payout.id} className="flex flex-col gap-3 py-4 first:pt-0 last:pb-0">
                <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <Money micros={payout.amountMicros} currency={payout.currency} className="font-semibold" />
                  <CustomerLink userId={payout.userId} names={names} />
                  <span>{say('rewards', { count: payout.rewards })}</span>
                  <span className="text-muted">
                    <RelativeTime at={payout.createdAt} />
                  </span>
                </p>
                <p className="break-all">
                  {methodOf(payout.method)}:{' '}
                  <code className="font-mono">{destinations[index] ?? payout.destinationHint}</code>
                </p>
                {mayDecide && (
                  <div className="grid max-w-3xl gap-4 sm:grid-cols-2">
                    <ActionForm action={decidePayoutAction} className="flex flex-col gap-3">
                      <input type="hidden" name="settlementId" value={payout.id} />
                      <input type="hidden" name="amountMicros" value={payout.amountMicros.toString()} />
                      <input type="hidden" name="end" value="paid" />
                      <TextField
                        name="reference"
                        label={say('reference')}
                        help={say('referenceHelp')}
                        maxLength={300}
                        required
                      />
                      <SubmitButton className="self-start">
                        {say('paid', { amount: formatMoney(payout.amountMicros, payout.currency, locale) })}
                      </SubmitButton>
                    </ActionForm>
                    <ActionForm action={decidePayoutAction} className="flex flex-col gap-3">
                      <input type="hidden" name="settlementId" value={payout.id} />
                      <input type="hidden" name="amountMicros" value={payout.amountMicros.toString()} />
                      <input type="hidden" name="end" value="declined" />
                      <TextField
                        name="reason"
                        label={say('reason')}
                        help={say('reasonHelp')}
                        maxLength={500}
                        required
                      />
                      <SubmitButton variant="danger" className="self-start">
                        {say('decline')}
                      </SubmitButton>
                    </ActionForm>
                  </div>
                )}
              </li>
            ))}
          </ul>
        </Card>
        <Card title={say('heldTitle')} lead={say('heldLead')}>
          {held.length === 0 && <p className="text-muted">{say('heldEmpty')}</p>}
          <ul className="flex flex-col divide-y">
            {held.map((each) => (
              <li key={each.userId} className="flex flex-col gap-3 py-4 first:pt-0 last:pb-0">
                <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <CustomerLink userId={each.userId} names={names} />
                  <span>
                    {say.rich('through', { who: () => <CustomerLink userId={each.referrerId} names={names} /> })}
                  </span>
                  <span className="text-muted">
                    <RelativeTime at={each.createdAt} />
                  </span>
                  <span>
                    {say.rich('waits', {
                      amount: () => <Money micros={each.pendingMicros} currency={each.currency} />,
                    })}
                  </span>
                </p>
                <ul className="flex flex-wrap gap-2">
                  {each.signals.map((signal) => (
                    <li key={`${signal.kind} ${signal.withId}`} className="flex flex-wrap items-center gap-2">
                      <Status tone="warning">{say(`signal_${signal.kind}`)}</Status>
                      {signal.withId !== each.referrerId && <CustomerLink userId={signal.withId} names={names} />}
                    </li>
                  ))}
                </ul>
                {mayDecide && (
                  <ActionForm action={reviewReferralAction} className="flex max-w-xl flex-col gap-3">
                    <input type="hidden" name="userId" value={each.userId} />
                    <TextField name="reason" label={say('reason')} help={say('reviewHelp')} maxLength={500} required />
                    <div className="flex flex-wrap gap-2">
                      <SubmitButton name="decision" value="approved" variant="secondary">
                        {say('approve')}
                      </SubmitButton>
                      <SubmitButton name="decision" value="rejected" variant="danger">
                        {say('reject')}
                      </SubmitButton>
                    </div>
                  </ActionForm>
                )}
              </li>
            ))}
          </ul>
        </Card>
        <section>
          <h2 className="mb-3 text-base font-semibold">{say('topTitle', { days: TOP_DAYS })}</h2>
          <DataTable
            caption={say('topTitle', { days: TOP_DAYS })}
            rows={top}
            rowKey={(each) => each.userId}
            empty={<p className="text-muted">{say('topEmpty')}</p>}
            columns={[
              {
                key: 'who',
                head: say('referrer'),
                cell: (each) => <CustomerLink userId={each.userId} names={names} />,
              },
              { key: 'signUps', head: say('signUps'), isNumber: true, cell: (each) => each.signUps },
              { key: 'buyers', head: say('buyers'), isNumber: true, cell: (each) => each.buyers },
              {
                key: 'reverted',
                head: say('reverted'),
                isNumber: true,
                cell: (each) => <Money micros={each.revertedMicros} currency={each.currency} />,
              },
              {
                key: 'earned',
                head: say('earned'),
                isNumber: true,
                cell: (each) => <Money micros={each.earnedMicros} currency={each.currency} className="font-medium" />,
              },
            ]}
          />
        </section>
      </div>
    </>
  )
}
