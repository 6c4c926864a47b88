import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { marketingRules } from '@/lib/marketing'
import { requireAdmin } from '@/lib/web'
import { saveMarketingRulesAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('marketingTitle') }
}

export default async function MarketingSettingsPage() {
  await requireAdmin('settings.write')
  const [settings, say, rules] = await Promise.all([
    getTranslations('adminSettings'),
    getTranslations('campaigns'),
    marketingRules.readFresh(),
  ])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {settings('back')}
          </Link>
        }
        title={settings('marketingTitle')}
        lead={settings('marketingLead')}
      />
      <Card className="max-w-2xl">
        <ActionForm action={saveMarketingRulesAction} className="flex flex-col gap-4">
          <CheckboxField
            name="doubleOptIn"
            label={say('doubleOptIn')}
            help={say('doubleOptInHelp')}
            defaultChecked={rules.doubleOptIn}
          />
          <TextField
            name="mailsPerSecond"
            label={say('mailsPerSecond')}
            help={say('mailsPerSecondHelp')}
            defaultValue={String(rules.mailsPerSecond)}
            inputMode="numeric"
            required
          />
          <SubmitButton className="self-start">{say('rulesSave')}</SubmitButton>
        </ActionForm>
      </Card>
    </>
  )
}
