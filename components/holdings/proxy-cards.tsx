import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Status } from '@/components/ui/status'
import { Place } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { Timeline } from '@/components/ui/timeline'
import type { Tone } from '@/components/ui/tones'
import type { Guarantee, ProxyChange } from '@/lib/holdings'

const TONES: Record<ProxyChange['kind'], Tone> = {
  handed_over: 'good',
  renewed: 'good',
  replaced_by: 'info',
  replaces: 'info',
  credited: 'info',
}

/** What happened to a proxy, each fact a sentence with its time. */
export async function ChangeLog({ changes }: { changes: ProxyChange[] }) {
  const say = await getTranslations('proxies')
  const sentence = (change: ProxyChange) => {
    switch (change.kind) {
      case 'handed_over':
        return say('change_handed_over')
      case 'renewed':
        return say('change_renewed', { days: change.days })
      case 'credited':
        return say('change_credited', { cause: change.cause })
      case 'replaced_by':
      case 'replaces':
        return say.rich(`change_${change.kind}`, {
          reason: change.reason,
          other: () => (
            <Link href={`/account/proxies/${change.otherId}`} prefetch={false} className="text-accent underline">
              <Place>{change.place}</Place>
            </Link>
          ),
        })
    }
  }
  return (
    <Timeline
      items={changes.map((change, index) => ({
        key: String(index),
        tone: TONES[change.kind],
        text: sentence(change),
        at: <ExactTime at={change.at} />,
      }))}
    />
  )
}

/** Until when each rule of the policy holds for a proxy. */
export async function GuaranteeClock({ guarantees }: { guarantees: Guarantee[] }) {
  const say = await getTranslations('proxies')
  if (guarantees.length === 0) return <p className="text-muted">{say('noGuarantee')}</p>
  return (
    <ul className="flex flex-col gap-3">
      {guarantees.map(({ row, until, isOver }, index) => (
        <li key={index} className="flex flex-col items-start gap-1">
          <span>
            {say(`rule_${row.when}`, { percent: row.maxTrafficPercent ?? 0 })}{' '}
            {say(`gives_${row.remedy}`, { percent: row.refundPercent, of: row.of })}
          </span>
          {isOver ? (
            <Status>{say('ruleOver')}</Status>
          ) : (
            <span className="text-xs text-muted">
              {say.rich('ruleUntil', { until: () => <ExactTime at={until} /> })}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
