import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import type { SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { requestVerificationAction, verifyEmailAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('verify'))('confirmTitle') }
}

/**
 * Two questions at one address: with a token from the mail it asks for the press that confirms (mail scanners open links, but do not press buttons);
 * without one it says where to look for the mail.
 */
export default async function VerifyPage({ searchParams }: { searchParams: SearchParams }) {
  const { token } = await searchParams
  const say = await getTranslations('verify')
  const isFromMail = typeof token === 'string'
  // In a demo the stand-in for the mail service shows at its own address what it took.
  const inbox = env().SLUICE_MODE === 'demo' ? env().RESEND_API_URL : undefined
  return (
    <>
      <PageHeader
        title={isFromMail ? say('confirmTitle') : say('sentTitle')}
        lead={isFromMail ? say('confirmText') : say('sentText')}
      />
      {!isFromMail && inbox && (
        <Alert className="mb-8">
          {say('demoInbox')}{' '}
          <a href={inbox} target="_blank" rel="noreferrer" className="font-medium text-accent underline">
            {say('openInbox')}
          </a>
        </Alert>
      )}
      {isFromMail && (
        <ActionForm action={verifyEmailAction} className="mb-8 flex flex-col gap-5">
          <input type="hidden" name="token" value={token} />
          <SubmitButton size="lg">{say('confirm')}</SubmitButton>
        </ActionForm>
      )}
      <Card title={say('againTitle')}>
        <ActionForm action={requestVerificationAction} className="flex flex-col gap-4">
          <TextField name="email" type="email" autoComplete="email" label={say('email')} required />
          <SubmitButton variant="secondary">{say('again')}</SubmitButton>
        </ActionForm>
      </Card>
    </>
  )
}
