import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { nameChoice } from '@/components/orders/order-words'
import { Money } from '@/components/ui/money'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import type { BulkLine, BulkResult, PreviewedPart } from '@/lib/holdings'
import { HOUR_MS } from '@/lib/kit'
import { EXCHANGE_WITHIN_MS } from '@/lib/remedies'
import { type KnownRefusal, sayRefusal } from '@/lib/web'

/** What would happen, order by order. */
export async function PreviewTable({ parts, currency }: { parts: PreviewedPart[]; currency: string }) {
  const [say, locale] = await Promise.all([getTranslations('proxies'), getLocale()])
  const names = new Map(
    await Promise.all(
      parts.map(async ({ part }) => {
        const { plan, country } = await nameChoice({ ...part, quantity: 1, periodDays: 1 })
        return [part.orderId, `${plan}, ${country}`] as const
      }),
    ),
  )
  return (
    <DataTable
      caption={say('previewCaption')}
      rows={parts}
      rowKey={({ part }) => part.orderId}
      empty={null}
      columns={[
        {
          key: 'order',
          head: say('order'),
          cell: ({ part }) => (
            <>
              <OrderLink orderId={part.orderId} />
              <span className="block text-xs text-muted">{names.get(part.orderId)}</span>
            </>
          ),
        },
        {
          key: 'what',
          head: say('whatHappens'),
          cell: (each) => (
            <>
              <Lines lines={each.lines} tense="would" />
              {each.refusal && <p className="text-muted">{sayRefusal(each.refusal as KnownRefusal, locale)}</p>}
            </>
          ),
        },
        { key: 'money', head: say('money'), isNumber: true, cell: (each) => <Sum of={each} currency={currency} /> },
      ]}
    />
  )
}

/** What was done, and what was refused and why, order by order. */
export async function ResultTable({ results, currency }: { results: BulkResult[]; currency: string }) {
  const [say, locale] = await Promise.all([getTranslations('proxies'), getLocale()])
  return (
    <DataTable
      caption={say('resultCaption')}
      rows={results}
      rowKey={(result) => result.orderId}
      empty={null}
      columns={[
        { key: 'order', head: say('order'), cell: ({ orderId }) => <OrderLink orderId={orderId} /> },
        {
          key: 'state',
          head: say('state'),
          cell: ({ isDone }) => (
            <Status tone={isDone ? 'good' : 'bad'}>{say(isDone ? 'wasDone' : 'wasRefused')}</Status>
          ),
        },
        {
          key: 'what',
          head: say('whatHappened'),
          cell: ({ isDone, facts }) =>
            isDone ? (
              <Lines lines={facts.lines as BulkLine[]} tense="did" />
            ) : (
              sayRefusal(facts as unknown as KnownRefusal, locale)
            ),
        },
        {
          key: 'money',
          head: say('money'),
          isNumber: true,
          cell: ({ isDone, facts }) =>
            isDone ? (
              <Sum
                of={{ paysMicros: BigInt(String(facts.paysMicros)), givesMicros: BigInt(String(facts.givesMicros)) }}
                currency={currency}
              />
            ) : (
              '–'
            ),
        },
      ]}
    />
  )
}

function OrderLink({ orderId }: { orderId: string }) {
  return (
    <Link href={`/account/orders/${orderId}`} prefetch={false} className="font-mono text-accent underline">
      {shortId(orderId)}
    </Link>
  )
}

async function Lines({ lines, tense }: { lines: BulkLine[]; tense: 'would' | 'did' }) {
  const say = await getTranslations('proxies')
  return (
    <ul>
      {lines.map(({ kind, count }) => (
        <li key={kind}>{say(`${tense}_${kind}`, { count, hours: EXCHANGE_WITHIN_MS / HOUR_MS })}</li>
      ))}
    </ul>
  )
}

function Sum({ of, currency }: { of: { paysMicros: bigint; givesMicros: bigint }; currency: string }) {
  const micros = of.givesMicros - of.paysMicros
  return micros === 0n ? <>–</> : <Money micros={micros} currency={currency} isSigned />
}
