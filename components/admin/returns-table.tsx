import { getTranslations } from 'next-intl/server'
import { Money } from '@/components/ui/money'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { Tone } from '@/components/ui/tones'
import type { Returns } from '@/lib/payments'

const TONES: Record<Returns['refunds'][number]['state'] | Returns['disputes'][number]['state'], Tone> = {
  sending: 'info',
  manual: 'warning',
  done: 'neutral',
  failed: 'bad',
  open: 'warning',
  won: 'good',
  lost: 'bad',
}

/** What went back of one payment, or is on its way, in the order it began. */
export async function ReturnsTable({ payment }: { payment: Returns & { currency: string } }) {
  const [say, states] = await Promise.all([getTranslations('admin'), getTranslations('payments')])
  const rows = [
    ...payment.refunds.map((refund) => ({
      id: refund.id,
      what: say('refund'),
      state: refund.state,
      word: states(`refund_${refund.state}`),
      amountMicros: refund.amountMicros,
      at: refund.createdAt,
    })),
    ...payment.disputes.map((dispute) => ({
      id: dispute.id,
      what: say('dispute'),
      state: dispute.state,
      word: say(`disputeState_${dispute.state}`),
      amountMicros: dispute.amountMicros,
      at: dispute.openedAt,
    })),
  ].sort((one, other) => one.at.getTime() - other.at.getTime())
  return (
    <DataTable
      caption={say('returnsTitle')}
      rows={rows}
      rowKey={(row) => row.id}
      empty={null}
      columns={[
        {
          key: 'what',
          head: say('refund'),
          cell: (row) => (
            <>
              {row.what} <span className="font-mono">{shortId(row.id)}</span>
            </>
          ),
        },
        { key: 'state', head: say('refundState'), cell: (row) => <Status tone={TONES[row.state]}>{row.word}</Status> },
        { key: 'at', head: say('begun'), cell: (row) => <ExactTime at={row.at} /> },
        {
          key: 'amount',
          head: say('amount'),
          isNumber: true,
          cell: (row) => <Money micros={row.amountMicros} currency={payment.currency} />,
        },
      ]}
    />
  )
}
