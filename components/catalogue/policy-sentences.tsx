import { getTranslations } from 'next-intl/server'
import type { Policy, PolicyRow } from '@/lib/catalog'

/** What a policy gives, each row a sentence, in the order in which they count. The same words before buying and on the order of that day. */
export async function PolicySentences({ policy, className = '' }: { policy: Policy; className?: string }) {
  const say = await getTranslations('policy')
  const sentences = [
    ...policy.rows.map((row) => `${say(`when_${row.when}`, whenFacts(row))} ${giveSentence(row)}`),
    ...(policy.rows.some((row) => row.remedy === 'replace')
      ? [say('replacements', { count: policy.replacementsPerProxy })]
      : []),
    ...(policy.downtimeHours === null ? [] : [say('downtime', { hours: policy.downtimeHours })]),
    say(policy.rows.length === 0 && policy.downtimeHours === null ? 'nothing' : 'otherwise'),
  ]
  function giveSentence(row: PolicyRow): string {
    if (row.remedy === 'refund') return say(`refund_${row.of}`, { percent: row.refundPercent })
    return row.refundPercent === 0 ? say('replace') : say(`replaceOr_${row.of}`, { percent: row.refundPercent })
  }
  return (
    <ul className={`flex list-disc flex-col gap-2 pl-5 text-sm ${className}`}>
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  )
}

function whenFacts(row: PolicyRow) {
  return { hours: row.withinHours ?? 0, always: String(row.withinHours === null), percent: row.maxTrafficPercent ?? 0 }
}
