import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { MeasuringForm, TelegramForm, TopicBoxes } from '@/components/marketing/choices'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { findPreferences } from '@/lib/marketing'
import { saveMeasuringAction, savePreferencesAction, saveTelegramAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('marketing'))('preferencesTitle'), robots: { index: false } }
}

/** Where the link of each marketing mail leads: one person's choices, without signing in, and nothing else of theirs. */
export default async function PreferencesPage({ searchParams }: { searchParams: SearchParams }) {
  const token = oneOf((await searchParams).token) ?? ''
  const [say, found] = await Promise.all([getTranslations('marketing'), findPreferences(token)])
  return (
    <div className="mx-auto w-full max-w-2xl px-4 py-10 sm:px-8">
      {found ? (
        <>
          <PageHeader title={say('preferencesTitle')} lead={say('preferencesLead', { address: found.address })} />
          <Card>
            <ActionForm action={savePreferencesAction} className="flex flex-col gap-5">
              <input type="hidden" name="token" value={token} />
              <TopicBoxes choices={found.choices} />
              <div className="flex flex-wrap gap-3">
                <SubmitButton>{say('save')}</SubmitButton>
                <SubmitButton variant="secondary" name="stop" value="all">
                  {say('stopAll')}
                </SubmitButton>
              </div>
            </ActionForm>
          </Card>
          {found.telegram && (
            <Card title={say('telegram.title')} className="mt-6">
              <TelegramForm action={saveTelegramAction} choices={found.telegram} token={token} />
            </Card>
          )}
          <Card title={say('measuring.title')} lead={say('measuring.lead')} className="mt-6">
            <MeasuringForm action={saveMeasuringAction} measuring={found.measuring} token={token} />
          </Card>
          <p className="mt-4 text-sm text-muted">{say('serviceStays')}</p>
        </>
      ) : (
        <>
          <PageHeader title={say('linkInvalidTitle')} lead={say('linkInvalidText')} />
          <ButtonLink href="/account/settings" variant="secondary">
            {say('toSettings')}
          </ButtonLink>
        </>
      )}
    </div>
  )
}
