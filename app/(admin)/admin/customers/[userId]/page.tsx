import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { StatementTable } from '@/components/account/statement-table'
import { OrdersTable } from '@/components/admin/orders-table'
import { PaymentsTable } from '@/components/admin/payments-table'
import { ChoiceProofs } from '@/components/marketing/choices'
import { MailStatus } from '@/components/mail/mail-words'
import { MailsTable } from '@/components/mail/mails-table'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CopyButton } from '@/components/ui/copy-button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, DataTable, Facts } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { findCustomer, isAllowed } from '@/lib/identity'
import { getBalance, listStatement } from '@/lib/ledger'
import { listAllOrders } from '@/lib/orders'
import { listPayments } from '@/lib/payments'
import { countActiveAllocations } from '@/lib/provisioning'
import {
  type CampaignMailView,
  type ChoiceView,
  findMeasuring,
  listCampaignMails,
  listChoices,
  type MeasuringView,
} from '@/lib/marketing'
import { findStops, listCustomerMails } from '@/lib/notifications'
import { requireAdmin } from '@/lib/web'
import { withdrawAction } from '../../campaigns/actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('customer') }
}

export default async function CustomerPage({ params }: { params: Promise<{ userId: string }> }) {
  const staff = await requireAdmin('customers.read')
  const customer = await findCustomer((await params).userId)
  if (!customer) notFound()
  const userId = customer.id
  const canSeeMail = isAllowed(staff.role, 'mail.read')
  const [
    say,
    mail,
    common,
    balance,
    active,
    statement,
    orders,
    payments,
    mails,
    stops,
    choices,
    campaigns,
    measuring,
    telegram,
  ] = await Promise.all([
    getTranslations('admin'),
    getTranslations('mail'),
    getTranslations('common'),
    getBalance({ userId }),
    countActiveAllocations({ userId }),
    listStatement({ userId, limit: 10 }),
    isAllowed(staff.role, 'orders.read') ? listAllOrders({ userId, limit: 10 }) : null,
    isAllowed(staff.role, 'payments.read') ? listPayments({ userId }) : null,
    canSeeMail ? listCustomerMails(userId, 10) : null,
    canSeeMail ? findStops(customer.email) : [],
    canSeeMail ? listChoices(userId) : null,
    canSeeMail ? listCampaignMails({ userId }) : null,
    canSeeMail ? findMeasuring(userId) : null,
    canSeeMail ? listChoices(userId, 'telegram') : null,
  ])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/customers" className="text-accent underline">
            {say('allCustomers')}
          </Link>
        }
        title={customer.username}
        lead={customer.email}
      />
      {stops.length > 0 && (
        <Alert tone="bad" className="mb-6">
          <p>
            {mail('customerStopped', {
              address: customer.email,
              reason: stops.map(({ reason }) => mail(`reasons.${reason}`)).join(', '),
            })}
          </p>
          <Link
            href={`/admin/mail/stopped?search=${encodeURIComponent(customer.email)}`}
            className="text-accent underline"
          >
            {mail('stoppedTitle')}
          </Link>
        </Alert>
      )}
      <div className="flex flex-col gap-6">
        <Card title={say('account')}>
          <Facts
            facts={[
              [
                say('balance'),
                <Money
                  key="balance"
                  micros={balance.balanceMicros}
                  currency={balance.currency}
                  className="font-semibold"
                />,
              ],
              [say('held'), <Money key="held" micros={balance.heldMicros} currency={balance.currency} />],
              ...(balance.owedMicros > 0n
                ? [
                    [
                      say('owes'),
                      <Money key="owes" micros={balance.owedMicros} currency={balance.currency} className="text-bad" />,
                    ] satisfies [string, React.ReactNode],
                  ]
                : []),
              [say('activeProxies'), String(active)],
              [say('role'), customer.role],
              [say('language'), customer.locale],
              [say('since'), <ExactTime key="since" at={customer.createdAt} />],
              [
                say('confirmed'),
                customer.emailVerifiedAt ? (
                  <ExactTime key="confirmed" at={customer.emailVerifiedAt} />
                ) : (
                  say('notConfirmed')
                ),
              ],
              [
                say('id'),
                <span key="id" className="inline-flex items-center gap-2">
                  <Code>{userId}</Code>
                  <CopyButton
                    value={userId}
                    what={say('id')}
                    texts={{ copy: common('copy'), copied: common('copied') }}
                  />
                </span>,
              ],
            ]}
          />
        </Card>
        <section>
          <h2 className="mb-3 text-base font-semibold">{say('movements')}</h2>
          <StatementTable
            lines={statement.lines}
            currency={statement.currency}
            empty={<EmptyState title={say('noMovements')} />}
            audience="staff"
          />
        </section>
        {orders && (
          <section>
            <h2 className="mb-3 text-base font-semibold">{say('customerOrders')}</h2>
            <OrdersTable orders={orders.rows} showsCustomer={false} empty={<EmptyState title={say('ordersEmpty')} />} />
          </section>
        )}
        {payments && (
          <section>
            <h2 className="mb-3 text-base font-semibold">{say('customerPayments')}</h2>
            <PaymentsTable payments={payments.rows} empty={<EmptyState title={say('paymentsEmpty')} />} />
          </section>
        )}
        {mails && (
          <section>
            <h2 className="mb-3 text-base font-semibold">{mail('customerTitle')}</h2>
            <MailsTable
              mails={mails}
              caption={mail('customerCaption')}
              showsAddress={false}
              empty={<EmptyState title={mail('customerNone')} />}
            />
            <p className="mt-3 text-sm">
              <Link href={`/admin/mail?search=${encodeURIComponent(customer.email)}`} className="text-accent underline">
                {mail('customerAll')}
              </Link>
            </p>
          </section>
        )}
        {choices && campaigns && measuring && telegram && (
          <Marketing
            choices={choices}
            telegram={telegram}
            measuring={measuring}
            mails={campaigns.rows.slice(0, 10)}
            userId={isAllowed(staff.role, 'marketing.withdraw') ? userId : null}
          />
        )}
      </div>
    </>
  )
}

/** What this customer agreed to, and what went to them by it. With a user id staff may note a no. */
async function Marketing({
  choices,
  telegram,
  measuring,
  mails,
  userId,
}: {
  choices: ChoiceView[]
  telegram: ChoiceView[]
  measuring: MeasuringView
  mails: CampaignMailView[]
  userId: string | null
}) {
  const [say, mail] = await Promise.all([getTranslations('marketing'), getTranslations('mail')])
  return (
    <Card title={say('customerTitle')} lead={say('customerLead')}>
      {(measuring.proof ?? [...choices, ...telegram].some(({ proof }) => proof)) ? (
        <ChoiceProofs choices={choices} telegram={telegram} measuring={measuring} showsState />
      ) : (
        <p className="text-muted">{say('customerNone')}</p>
      )}
      {userId && (measuring.isAllowed || [...choices, ...telegram].some(({ state }) => state !== 'off')) && (
        <ActionForm action={withdrawAction} className="mt-4">
          <input type="hidden" name="userId" value={userId} />
          <SubmitButton variant="secondary" size="sm">
            {say('withdraw')}
          </SubmitButton>
        </ActionForm>
      )}
      {mails.length > 0 && (
        <div className="mt-4">
          <DataTable
            caption={say('ownMailsCaption')}
            rows={mails}
            rowKey={({ id }) => id}
            empty={null}
            columns={[
              { key: 'when', head: mail('columnWhen'), cell: ({ at }) => <ExactTime at={at} /> },
              {
                key: 'subject',
                head: mail('columnSubject'),
                cell: ({ subject, locale }) => <span lang={locale}>{subject}</span>,
              },
              { key: 'state', head: mail('columnState'), cell: ({ state }) => <MailStatus state={state} /> },
            ]}
          />
        </div>
      )}
    </Card>
  )
}
