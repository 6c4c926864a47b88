import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import { NavLink } from '@/components/frame/nav-link'
import { Money } from '@/components/ui/money'
import type { Tone } from '@/components/ui/tones'
import { formatMoney } from '@/lib/kit'
import type { CommissionRule, RewardState, RewardView, SettlementView } from '@/lib/referrals'

export const REWARD_TONES: Record<RewardState, Tone> = {
  pending: 'info',
  available: 'good',
  requested: 'info',
  paid_out: 'good',
  moved: 'good',
  reverted: 'bad',
}
export const SETTLEMENT_TONES: Record<SettlementView['state'], Tone> = {
  moved: 'good',
  requested: 'info',
  paid: 'good',
  declined: 'bad',
  withdrawn: 'neutral',
}

const TABS = [
  { href: '/account/referrals', text: 'tabOverview' },
  { href: '/account/referrals/rewards', text: 'tabRewards' },
  { href: '/account/referrals/people', text: 'tabPeople' },
  { href: '/account/referrals/payouts', text: 'tabPayouts' },
] as const

/** The four pages about one's referrals. */
export async function ReferralTabs() {
  const say = await getTranslations('referrals')
  return (
    <nav aria-label={say('tabs')} className="mb-6 border-b">
      <ul className="-mb-px flex flex-wrap gap-x-5">
        {TABS.map(({ href, text }) => (
          <li key={href}>
            <NavLink
              href={href}
              exact
              className="inline-flex min-h-10 items-center border-b-2 border-transparent text-muted hover:text-text aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-text"
            >
              {say(text)}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** Hundredths of a percent as people write them. */
export async function percentOf(basisPoints: number): Promise<string> {
  const format = await getFormatter()
  return format.number(basisPoints / 10_000, { style: 'percent', maximumFractionDigits: 2 })
}

/** A rule as a sentence, with its bounds. */
export async function sayRule(rule: CommissionRule, currency: string): Promise<string> {
  const [say, locale, percent] = await Promise.all([
    getTranslations('referrals'),
    getLocale(),
    percentOf(rule.basisPoints),
  ])
  const what =
    rule.basis === 'first_top_up'
      ? say('ruleTopUp', { percent })
      : rule.productName === null
        ? say('ruleOrders', { percent })
        : say('ruleProduct', { percent, product: rule.productName })
  return [
    what,
    rule.forDays !== null && say('ruleFor', { days: rule.forDays }),
    rule.personCapMicros !== null && say('rulePerson', { amount: formatMoney(rule.personCapMicros, currency, locale) }),
    rule.monthCapMicros !== null && say('ruleMonth', { amount: formatMoney(rule.monthCapMicros, currency, locale) }),
  ]
    .filter(Boolean)
    .join(' ')
}

/** Where a reward comes from and what became of it, in whole sentences. */
export async function RewardExplained({ reward }: { reward: RewardView }) {
  const [say, locale, percent] = await Promise.all([
    getTranslations('referrals'),
    getLocale(),
    percentOf(reward.basisPoints),
  ])
  const money = (micros: bigint) => formatMoney(micros, reward.currency, locale)
  const sentences = [
    reward.sourceKind === 'reinstated'
      ? say('whyReinstated', { name: reward.name })
      : say(`why_${reward.sourceKind}`, { name: reward.name, percent, base: money(reward.baseMicros) }),
    reward.cappedBy && say(`capped_${reward.cappedBy}`),
    reward.state === 'pending' && reward.isHeld && say('whyHeld'),
    reward.revertedMicros > 0n &&
      say('whyReverted', {
        amount: money(reward.revertedMicros),
        causes: [...new Set(reward.causes)].map((cause) => say(`cause_${cause}`)).join(', '),
      }),
    reward.revertedMicros > 0n && ['paid_out', 'moved'].includes(reward.state) && say('whyOwed'),
    reward.offsetMicros > 0n && say('whyOffset', { amount: money(reward.offsetMicros) }),
  ]
  return <span className="block max-w-prose">{sentences.filter(Boolean).join(' ')}</span>
}

/** One figure with its name, as the overview shows them side by side. */
export function Figure({
  name,
  micros,
  currency,
  help,
}: {
  name: string
  micros: bigint
  currency: string
  help?: string
}) {
  return (
    <div className="rounded-md border bg-surface p-4">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="mt-1 text-lg font-semibold">
        <Money micros={micros} currency={currency} />
      </dd>
      {help && <dd className="mt-1 text-xs text-muted">{help}</dd>}
    </div>
  )
}
