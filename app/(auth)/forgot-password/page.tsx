import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { requestPasswordResetAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('password'))('forgotTitle') }
}

export default async function ForgotPasswordPage() {
  const say = await getTranslations('password')
  return (
    <>
      <PageHeader title={say('forgotTitle')} lead={say('forgotText')} />
      <ActionForm action={requestPasswordResetAction} className="flex flex-col gap-5">
        <TextField name="email" type="email" autoComplete="email" label={say('email')} required />
        <SubmitButton size="lg">{say('send')}</SubmitButton>
      </ActionForm>
      <p className="mt-6 text-sm">
        <Link href="/sign-in" className="text-accent underline">
          {say('backToSignIn')}
        </Link>
      </p>
    </>
  )
}
