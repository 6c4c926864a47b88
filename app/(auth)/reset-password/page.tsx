import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import type { SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { resetPasswordAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('password'))('resetTitle') }
}

export default async function ResetPasswordPage({ searchParams }: { searchParams: SearchParams }) {
  const { token } = await searchParams
  const say = await getTranslations('password')
  const again = (
    <Link href="/forgot-password" className="underline">
      {say('askAgain')}
    </Link>
  )
  return (
    <>
      <PageHeader title={say('resetTitle')} lead={say('resetText')} />
      <ActionForm action={resetPasswordAction} className="flex flex-col gap-5" answer={{ link_invalid: again }}>
        <input type="hidden" name="token" value={typeof token === 'string' ? token : ''} />
        <TextField
          name="password"
          type="password"
          autoComplete="new-password"
          label={say('password')}
          help={say('passwordHelp')}
          required
        />
        <SubmitButton size="lg">{say('reset')}</SubmitButton>
      </ActionForm>
      <p className="mt-6 text-sm">
        <Link href="/sign-in" className="text-accent underline">
          {say('backToSignIn')}
        </Link>
      </p>
    </>
  )
}
