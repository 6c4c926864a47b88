import { getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import type { Tone } from '@/components/ui/tones'
import type { CampaignState, Channel, RecipientState, RecipientView } from '@/lib/marketing'

const TONES: Record<CampaignState, Tone> = {
  draft: 'neutral',
  scheduled: 'info',
  sending: 'info',
  paused: 'warning',
  sent: 'good',
  cancelled: 'neutral',
}

/** Where a campaign stands, in a word. */
export async function CampaignStatus({ state }: { state: CampaignState }) {
  const say = await getTranslations('campaigns.states')
  return <Status tone={TONES[state]}>{say(state)}</Status>
}

const RECIPIENT_TONES: Record<RecipientState, Tone> = {
  queued: 'info',
  sending: 'info',
  sent: 'good',
  delivered: 'good',
  delayed: 'warning',
  bounced: 'bad',
  complained: 'bad',
  failed: 'bad',
  suppressed: 'warning',
  skipped: 'neutral',
}

/** What became of one recipient, and why. */
export async function RecipientOutcome({
  recipient: { state, failure },
  channel,
}: {
  recipient: RecipientView
  channel: Channel
}) {
  const [say, mail] = await Promise.all([getTranslations('campaigns'), getTranslations('mail')])
  return (
    <span className="inline-flex max-w-md flex-col items-start gap-1 max-sm:items-end">
      <Status tone={RECIPIENT_TONES[state]}>{say(`recipientStates.${state}`)}</Status>
      {failure && (
        <span className="text-xs text-muted">
          {state === 'skipped'
            ? say(`skips.${failure as 'withdrawn'}`)
            : channel === 'mail'
              ? mail(`failures.${failure as 'refused'}`)
              : say(`telegramFailures.${failure as 'refused'}`)}
        </span>
      )}
    </span>
  )
}
