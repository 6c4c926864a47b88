import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { MailTabs } from '@/components/mail/mail-tabs'
import { MailStatus } from '@/components/mail/mail-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CopyButton } from '@/components/ui/copy-button'
import { TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, DataTable, Facts } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { env } from '@/lib/env'
import { lastHeardAt, MAIL_STATES, mailFigures, senderSettings, transportInUse } from '@/lib/notifications'
import { requireAdmin } from '@/lib/web'
import { saveSenderAction, sendTestAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('mailTitle') }
}

/** Who mails come from, how they look, by which way they go out, and whether they arrive. */
export default async function MailSettingsPage() {
  const staff = await requireAdmin('settings.write')
  const [settings, say, sender, figures, heardAt] = await Promise.all([
    getTranslations('adminSettings'),
    getTranslations('mail'),
    senderSettings.readFresh(),
    mailFigures(),
    lastHeardAt(),
  ])
  const { SHOP_NAME, MAIL_FROM, PUBLIC_URL } = env()
  const transport = transportInUse()
  const webhook = new URL('/api/webhooks/resend', PUBLIC_URL).toString()
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {settings('back')}
          </Link>
        }
        title={settings('mailTitle')}
        lead={settings('mailLead')}
      />
      <MailTabs user={staff} current="/admin/settings/mail" />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title={say('senderTitle')}>
          <ActionForm action={saveSenderAction} className="flex flex-col gap-4">
            <TextField
              name="name"
              label={say('senderName')}
              help={say('senderNameHelp', { fallback: MAIL_FROM })}
              defaultValue={sender.name}
              maxLength={60}
            />
            <TextField
              name="address"
              type="email"
              label={say('senderAddress')}
              help={say('senderAddressHelp', { fallback: MAIL_FROM })}
              defaultValue={sender.address}
              maxLength={254}
            />
            <TextField
              name="replyTo"
              type="email"
              label={say('replyTo')}
              help={say('replyToHelp')}
              defaultValue={sender.replyTo}
              maxLength={254}
            />
            <TextField
              name="logo"
              label={say('logo')}
              help={say('logoHelp', { fallback: SHOP_NAME })}
              defaultValue={sender.logo}
              maxLength={60}
            />
            <TextAreaField
              name="footer"
              label={say('footer')}
              help={say('footerHelp')}
              defaultValue={sender.footer}
              className="!min-h-24"
              maxLength={600}
            />
            <TextField
              name="accent"
              label={say('accent')}
              help={say('accentHelp')}
              defaultValue={sender.accent}
              className="font-mono"
              maxLength={7}
              spellCheck={false}
              autoComplete="off"
              required
            />
            <SubmitButton className="self-start">{say('save')}</SubmitButton>
          </ActionForm>
        </Card>
        <div className="flex flex-col gap-6">
          <Card title={say('transportTitle')}>
            <p>{say(`transport_${transport.name}`, { host: transport.host ?? '' })}</p>
            {transport.name === 'smtp' && <p className="mt-2 text-sm text-muted">{say('hearsNothingSmtp')}</p>}
            {transport.name === 'resend' && !transport.hearsBack && (
              <Alert tone="warning" className="mt-3">
                {say('hearsNothing')}
              </Alert>
            )}
            {transport.hearsBack && (
              <p className="mt-2 text-sm text-muted">
                {heardAt ? say.rich('hearsBackAt', { time: () => <RelativeTime at={heardAt} /> }) : say('hearsBack')}
              </p>
            )}
            {transport.name === 'resend' && (
              <>
                <p className="mt-3 text-sm font-medium">{say('webhookAddress')}</p>
                <p className="mt-1 flex flex-wrap items-center gap-2">
                  <Code>{webhook}</Code>
                  <CopyButton
                    value={webhook}
                    what={say('webhookAddress')}
                    texts={{ copy: say('copy'), copied: say('copied') }}
                  />
                </p>
              </>
            )}
            <Facts
              className="mt-4"
              facts={[
                [
                  say('lastSent'),
                  figures.lastSentAt ? <RelativeTime key="sent" at={figures.lastSentAt} /> : say('never'),
                ],
                [
                  say('lastFailure'),
                  figures.lastFailure ? (
                    <span key="failure">
                      <RelativeTime at={figures.lastFailure.at} />: {say(`failures.${figures.lastFailure.failure}`)}
                      {figures.lastFailure.detail && (
                        <span className="mt-1 block font-mono text-xs break-words text-muted">
                          {figures.lastFailure.detail}
                        </span>
                      )}
                    </span>
                  ) : (
                    say('none')
                  ),
                ],
              ]}
            />
          </Card>
          <Card title={say('testTitle')} lead={say('testLead', { address: staff.email })}>
            <ActionForm action={sendTestAction}>
              <SubmitButton variant="secondary">{say('test')}</SubmitButton>
            </ActionForm>
          </Card>
          <Card title={say('figuresTitle')}>
            <DataTable
              caption={say('figuresCaption')}
              rows={[...MAIL_STATES]}
              rowKey={(state) => state}
              empty={null}
              columns={[
                { key: 'state', head: say('columnState'), cell: (state) => <MailStatus state={state} /> },
                { key: 'day', head: say('lastDay'), isNumber: true, cell: (state) => figures.lastDay[state] },
                { key: 'week', head: say('lastWeek'), isNumber: true, cell: (state) => figures.lastWeek[state] },
              ]}
            />
          </Card>
        </div>
      </div>
    </>
  )
}
