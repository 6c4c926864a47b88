import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { MadeLink } from '@/components/notices/made-link'
import { SwitchTable } from '@/components/notices/switch-table'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import { getNoticeSettings, listTypesInUse, NEXT_CHARGE_DAYS, type NoticeSettingsView } from '@/lib/notices'
import { requireUser } from '@/lib/web'
import { saveNoticeSettingsAction, startTelegramLinkAction, unlinkTelegramAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('notices'))('settingsTitle') }
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour)

/** What reaches the customer where and when: one form, one button; the chat is linked beside it. */
export default async function NotificationsPage() {
  const user = await requireUser()
  const [say, frame, settings] = await Promise.all([
    getTranslations('notices'),
    getTranslations('frame'),
    getNoticeSettings({ userId: user.id }),
  ])
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/settings" className="text-accent underline">
            {frame('settings')}
          </Link>
        }
        title={say('settingsTitle')}
        lead={say('settingsLead')}
      />
      <div className="flex max-w-2xl flex-col gap-6">
        <ActionForm action={saveNoticeSettingsAction} className="flex flex-col gap-6">
          <Card title={say('switchesTitle')}>
            <SwitchTable types={listTypesInUse()} settings={settings} />
          </Card>
          <Card title={say('timingTitle')}>
            <SelectField
              name="digestHour"
              label={say('digestHour')}
              help={say('digestHelp')}
              defaultValue={settings.digestHour === null ? '' : String(settings.digestHour)}
            >
              <option value="">{say('digestAtOnce')}</option>
              {HOURS.map((hour) => (
                <option key={hour} value={hour}>
                  {say('digestAt', { hour: `${String(hour).padStart(2, '0')}:00` })}
                </option>
              ))}
            </SelectField>
          </Card>
          <Card title={say('moneyTitle')}>
            <div className="flex flex-col gap-4">
              <TextField
                name="lowBalanceMicros"
                label={say('lowBalance', { currency: env().SHOP_CURRENCY })}
                help={say('lowBalanceHelp')}
                defaultValue={settings.lowBalanceMicros === null ? '' : amountText(settings.lowBalanceMicros)}
                inputMode="decimal"
                autoComplete="off"
              />
              <SelectField
                name="nextChargeDays"
                label={say('nextChargeDays')}
                help={say('nextChargeHelp')}
                defaultValue={String(settings.nextChargeDays)}
              >
                {NEXT_CHARGE_DAYS.map((days) => (
                  <option key={days} value={days}>
                    {days === 0 ? say('nextChargeNever') : say('nextChargeIn', { days })}
                  </option>
                ))}
              </SelectField>
              <CheckboxField
                name="isNextChargeLoud"
                label={say('nextChargeLoud')}
                defaultChecked={settings.isNextChargeLoud}
              />
            </div>
          </Card>
          <SubmitButton className="self-start">{say('save')}</SubmitButton>
        </ActionForm>
        {settings.telegram && <Telegram telegram={settings.telegram} />}
      </div>
    </>
  )
}

async function Telegram({ telegram }: { telegram: NonNullable<NoticeSettingsView['telegram']> }) {
  const [say, format] = await Promise.all([getTranslations('notices'), getFormatter()])
  const { botUsername: bot, linkedAt } = telegram
  if (linkedAt)
    return (
      <Card
        id="telegram"
        title={say('telegramTitle')}
        lead={say('telegramOn', { bot, date: format.dateTime(linkedAt, { dateStyle: 'long' }) })}
      >
        <ActionForm action={unlinkTelegramAction}>
          <SubmitButton variant="secondary">{say('telegramUnlink')}</SubmitButton>
        </ActionForm>
      </Card>
    )
  return (
    <Card id="telegram" title={say('telegramTitle')} lead={say('telegramOff', { bot })}>
      <ActionForm action={startTelegramLinkAction} className="flex flex-col items-start gap-4">
        <MadeLink texts={{ open: say('telegramOpen'), address: say('telegramAddress') }} />
        <SubmitButton variant="secondary">{say('telegramLink')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}
