import { getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import type { Tone } from '@/components/ui/tones'
import type { MailFailure, MailState } from '@/lib/notifications'

const TONES: Record<MailState, Tone> = {
  queued: 'info',
  sending: 'info',
  sent: 'good',
  delivered: 'good',
  delayed: 'warning',
  bounced: 'bad',
  complained: 'bad',
  failed: 'bad',
  suppressed: 'warning',
}

/** What became of a mail, in a word. */
export async function MailStatus({ state }: { state: MailState }) {
  const say = await getTranslations('mail.states')
  return <Status tone={TONES[state]}>{say(state)}</Status>
}

/** What became of a mail, and why it did not arrive or still waits. */
export async function MailOutcome({ state, failure }: { state: MailState; failure: MailFailure | null }) {
  const say = await getTranslations('mail.failures')
  return (
    <span className="inline-flex max-w-md flex-col items-start gap-1 max-sm:items-end">
      <MailStatus state={state} />
      {failure && <span className="text-xs text-muted">{say(failure)}</span>}
    </span>
  )
}
