import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import type { ReactNode } from 'react'
import { ActionForm } from '@/components/ui/action-form'
import { CheckboxField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import type { SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { findLink, referralCode } from '@/lib/referrals'
import { currentUser, safePath } from '@/lib/web'
import { signUpAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('signUp'))('title') }
}

export default async function SignUpPage({ searchParams }: { searchParams: SearchParams }) {
  const { next, ref } = await searchParams
  const path = typeof next === 'string' ? safePath(next) : null
  if (await currentUser()) redirect(path ?? '/account')
  const code = typeof ref === 'string' ? referralCode.safeParse(ref) : null
  const [say, consents, referral] = await Promise.all([
    getTranslations('signUp'),
    getTranslations('consents'),
    code?.success ? findLink(code.data) : null,
  ])
  const invitation = referral && code?.success ? code.data : ''
  const link = (href: string) => (chunks: ReactNode) => (
    <Link href={href} target="_blank" className="text-accent underline">
      {chunks}
    </Link>
  )
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead')} />
      <ActionForm action={signUpAction} className="flex flex-col gap-5">
        {path && <input type="hidden" name="next" value={path} />}
        <TextField
          name="email"
          type="email"
          autoComplete="email"
          label={say('email')}
          help={say('emailHelp')}
          required
        />
        <TextField
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          label={say('username')}
          help={say('usernameHelp')}
          required
        />
        <TextField
          name="password"
          type="password"
          autoComplete="new-password"
          label={say('password')}
          help={say('passwordHelp')}
          required
        />
        <details open={invitation !== ''} className="group">
          <summary className="cursor-pointer text-sm text-accent underline">{say('invitationAsk')}</summary>
          <div className="mt-3">
            {invitation && <input type="hidden" name="ref" value={invitation} />}
            <TextField
              name="invitation"
              defaultValue={invitation}
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
              label={say('invitation')}
              help={say('invitationHelp')}
            />
          </div>
        </details>
        <fieldset className="flex flex-col gap-3">
          <legend className="mb-2 text-sm font-medium">{say('agreements')}</legend>
          <CheckboxField
            name="terms"
            label={consents.rich('terms', { terms: link('/legal/terms'), use: link('/legal/acceptable-use') })}
            required
          />
          <CheckboxField name="age" label={consents('age')} required />
          <CheckboxField name="marketing" label={consents('marketing')} />
        </fieldset>
        <SubmitButton size="lg">{say('submit')}</SubmitButton>
      </ActionForm>
      <p className="mt-6 text-sm text-muted">
        {say('haveAccount')}{' '}
        <Link href={path ? `/sign-in?next=${encodeURIComponent(path)}` : '/sign-in'} className="text-accent underline">
          {say('signIn')}
        </Link>
      </p>
    </>
  )
}
