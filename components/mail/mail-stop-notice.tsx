import { getTranslations } from 'next-intl/server'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { findStops } from '@/lib/notifications'

/** Says on every page of the account that our mails come back, and where to mend it. Nothing for everyone else. */
export async function MailStopNotice({ address }: { address: string }) {
  const stops = await findStops(address)
  if (!stops.some(({ reason }) => reason !== 'complaint')) return null
  const say = await getTranslations('mail')
  return (
    <Alert tone="bad" title={say('stopTitle', { address })} className="mb-6">
      <p>{say('stopShort', { address })}</p>
      <ButtonLink href="/account/settings/mails" variant="secondary" size="sm" className="mt-2">
        {say('stopWayOut')}
      </ButtonLink>
    </Alert>
  )
}
