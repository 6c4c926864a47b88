import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { nameProvider, PAYMENT_TONES } from '@/components/payments/payment-words'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { type Column, DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listUsernames } from '@/lib/identity'
import type { PaymentView } from '@/lib/payments'
import { CustomerLink, IdLink } from './links'

/** Payments as staff see them. On one customer's page the name is left out. */
export async function PaymentsTable({
  payments,
  empty,
}: {
  payments: (PaymentView & { userId?: string })[]
  empty: ReactNode
}) {
  const [say, states] = await Promise.all([getTranslations('admin'), getTranslations('payments')])
  const owners = payments.flatMap((payment) => payment.userId ?? [])
  const names = await listUsernames(owners)
  const providers = new Map(
    await Promise.all(
      [...new Set(payments.map(({ provider }) => provider))].map(
        async (each) => [each, (await nameProvider(each)).name] as const,
      ),
    ),
  )
  type Row = (typeof payments)[number]
  const customer: Column<Row> = {
    key: 'customer',
    head: say('customer'),
    cell: (payment) => <CustomerLink userId={payment.userId!} names={names} />,
  }
  const amount = (micros: bigint | null, currency: string) =>
    micros === null ? '–' : <Money micros={micros} currency={currency} />
  return (
    <DataTable
      caption={say('paymentsCaption')}
      rows={payments}
      rowKey={(payment) => payment.id}
      empty={empty}
      columns={[
        {
          key: 'payment',
          head: say('payment'),
          cell: (payment) => <IdLink href={`/admin/payments/${payment.id}`} id={payment.id} />,
        },
        ...(owners.length > 0 ? [customer] : []),
        {
          key: 'state',
          head: say('state'),
          cell: (payment) => <Status tone={PAYMENT_TONES[payment.status]}>{states(`state_${payment.status}`)}</Status>,
        },
        { key: 'provider', head: say('provider'), cell: (payment) => providers.get(payment.provider) },
        { key: 'begun', head: say('begun'), cell: (payment) => <RelativeTime at={payment.createdAt} /> },
        {
          key: 'requested',
          head: say('requested'),
          isNumber: true,
          cell: (payment) => amount(payment.requestedMicros, payment.currency),
        },
        {
          key: 'received',
          head: say('received'),
          isNumber: true,
          cell: (payment) => amount(payment.receivedMicros, payment.chargeCurrency),
        },
        {
          key: 'credited',
          head: say('credited'),
          isNumber: true,
          cell: (payment) => amount(payment.creditedMicros, payment.currency),
        },
      ]}
    />
  )
}
