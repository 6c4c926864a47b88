import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { confirmTopicsAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('marketing'))('confirmTitle'), robots: { index: false } }
}

/** The click of a confirming mail. Mail scanners open links but press no buttons, so a yes needs the press. */
export default async function ConfirmPage({ searchParams }: { searchParams: SearchParams }) {
  const token = oneOf((await searchParams).token) ?? ''
  const say = await getTranslations('marketing')
  return (
    <div className="mx-auto w-full max-w-2xl px-4 py-10 sm:px-8">
      <PageHeader title={say('confirmTitle')} lead={say('confirmText')} />
      <ActionForm action={confirmTopicsAction} className="flex flex-col gap-5">
        <input type="hidden" name="token" value={token} />
        <SubmitButton size="lg" className="self-start">
          {say('confirm')}
        </SubmitButton>
      </ActionForm>
    </div>
  )
}
