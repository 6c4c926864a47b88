import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CheckboxField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, Facts } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { getTelegramForAdmin, type TelegramView } from '@/lib/notices'
import { requireAdmin } from '@/lib/web'
import { saveTelegramAction, testTelegramAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminTelegram'))('title') }
}

/** The bot that brings notices to Telegram: whether it works, its token, and how many chats are linked. */
export default async function TelegramPage() {
  await requireAdmin('settings.write')
  const [say, settings, bot] = await Promise.all([
    getTranslations('adminTelegram'),
    getTranslations('adminSettings'),
    getTelegramForAdmin(),
  ])
  const tokenHelp = bot.isTokenUnreadable
    ? say('tokenUnreadable')
    : bot.hasToken
      ? say('tokenKept', { hint: `…${bot.tokenHint ?? ''}` })
      : say('tokenNone')
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {settings('back')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-3">
            {say('title')}
            <Status tone={bot.isEnabled ? 'good' : 'neutral'}>{say(bot.isEnabled ? 'on' : 'off')}</Status>
          </span>
        }
        lead={say('lead')}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title={say('formTitle')}>
          <ActionForm action={saveTelegramAction} className="flex flex-col gap-4">
            <TextField
              name="secretToken"
              type="password"
              label={say('token')}
              help={tokenHelp}
              autoComplete="new-password"
              spellCheck={false}
              className="font-mono"
            />
            <TextField
              name="apiUrl"
              label={say('apiUrl')}
              help={say('apiUrlHelp')}
              defaultValue={bot.apiUrl}
              inputMode="url"
              autoComplete="off"
              spellCheck={false}
              className="font-mono"
            />
            <CheckboxField
              name="isEnabled"
              label={say('isEnabled')}
              help={say('isEnabledHelp')}
              defaultChecked={bot.isEnabled}
            />
            <SubmitButton className="self-start">{say('save')}</SubmitButton>
          </ActionForm>
        </Card>
        <div className="flex flex-col gap-6">
          <Card title={say('stateTitle')}>
            <Facts
              facts={[
                [say('bot'), bot.botUsername ? <Code key="bot">@{bot.botUsername}</Code> : '–'],
                [say('webhook'), <Code key="webhook">{bot.webhookUrl}</Code>],
                [say('linked'), bot.linkedCount],
              ]}
            />
          </Card>
          <Card title={say('testTitle')} lead={say('testHelp')}>
            <ActionForm action={testTelegramAction} showsDone={false} className="flex flex-col gap-3">
              <LastTest bot={bot} />
              <SubmitButton variant="secondary" className="self-start">
                {say('test')}
              </SubmitButton>
            </ActionForm>
          </Card>
        </div>
      </div>
    </>
  )
}

/** What Telegram said when it was last asked, in words. */
async function LastTest({ bot }: { bot: TelegramView }) {
  const say = await getTranslations('adminTelegram')
  const { testResult, testedAt } = bot
  return (
    <div aria-live="polite">
      {testResult && testedAt ? (
        <Alert tone={testResult === 'ok' ? 'good' : 'bad'}>
          <p>{say(`said_${testResult}`, { bot: bot.botUsername ?? '' })}</p>
          <p className="mt-1 text-muted">{say.rich('testedAt', { time: () => <RelativeTime at={testedAt} /> })}</p>
        </Alert>
      ) : (
        <p className="text-sm text-muted">{say('testNever')}</p>
      )}
    </div>
  )
}
