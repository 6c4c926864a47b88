import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import type { SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { currentUser, rememberedNextPath, safePath } from '@/lib/web'
import { signInAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('signIn'))('title') }
}

const NOTICES = { verified: 'verified', reset: 'reset', 'signed-out': 'signedOut' } as const

export default async function SignInPage({ searchParams }: { searchParams: SearchParams }) {
  const { next, notice } = await searchParams
  const path = safePath(typeof next === 'string' ? next : await rememberedNextPath())
  if (await currentUser()) redirect(path)
  const say = await getTranslations('signIn')
  const key = typeof notice === 'string' && Object.hasOwn(NOTICES, notice) ? (notice as keyof typeof NOTICES) : null
  return (
    <>
      <PageHeader title={say('title')} />
      {key && (
        <Alert tone="good" className="mb-6">
          {say(NOTICES[key])}
        </Alert>
      )}
      <ActionForm
        action={signInAction}
        className="flex flex-col gap-5"
        answer={{
          credentials_refused: (
            <Link href="/verify" className="underline">
              {say('again')}
            </Link>
          ),
        }}
      >
        <input type="hidden" name="next" value={path} />
        <TextField
          name="login"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          label={say('login')}
          required
        />
        <TextField name="password" type="password" autoComplete="current-password" label={say('password')} required />
        <SubmitButton size="lg">{say('submit')}</SubmitButton>
      </ActionForm>
      <p className="mt-6 flex flex-wrap justify-between gap-2 text-sm text-muted">
        <Link href="/forgot-password" className="text-accent underline">
          {say('forgot')}
        </Link>
        <span>
          {say('noAccount')}{' '}
          <Link
            href={path === safePath(null) ? '/sign-up' : `/sign-up?next=${encodeURIComponent(path)}`}
            className="text-accent underline"
          >
            {say('signUp')}
          </Link>
        </span>
      </p>
    </>
  )
}
